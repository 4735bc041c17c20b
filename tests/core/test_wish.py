from faceswapd.core.wish import NOTHING, Pass, Trim, Wish


def test_what_is_nearer_lies_over_what_is_farther() -> None:
    folder = Wish(preset="best", priority=5, options=(("a", "1"), ("b", "2")))
    sidecar = Wish(face="alice", preset="fast", options=(("b", "3"),), trim=Trim(1.0, 2.0))
    assert sidecar.over(folder) == Wish("alice", "fast", 5, None, Trim(1.0, 2.0), None, (("a", "1"), ("b", "3")))
    assert NOTHING.over(folder) == folder
    assert folder.over(NOTHING) == folder


def test_a_nearer_face_takes_the_place_of_several_persons() -> None:
    several = Wish(passes=(Pass("alice", 0), Pass("bob", 1)))
    assert several.persons == "alice + bob"
    assert Wish(face="carol").over(several).persons == "carol"
    assert several.over(Wish(face="carol")).persons == "alice + bob"
    assert NOTHING.persons is None
