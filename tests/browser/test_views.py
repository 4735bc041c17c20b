"""Upload, faces, inboxes, health; and that everybody can use the page."""

import shutil
from pathlib import Path

import pytest

from tests.browser.visiting import Visit

VIEWS = ("#queue", "#faces", "#inboxes", "#health")
CONTROLS = "button, a[href], input, select, progress, meter, svg[role=img], video"
NAMELESS = f"""() => [...document.querySelectorAll("{CONTROLS}")]
    .filter((one) => one.checkVisibility() || one.type === "file")
    .filter((one) => !(one.getAttribute("aria-label") || one.labels?.length || one.textContent.trim() || one.title))
    .map((one) => one.outerHTML.slice(0, 120))"""


async def test_several_files_are_uploaded_one_after_the_other(visit: Visit, media: Path, tmp_path: Path) -> None:
    files = [tmp_path / "first upload.png", tmp_path / "second upload.mp4"]
    shutil.copyfile(media / "photo.png", files[0])
    shutil.copyfile(media / "clip.mp4", files[1])
    await visit.page.keyboard.press("u")
    panel = visit.page.get_by_role("dialog", name="Upload")
    await panel.locator("#targets").set_input_files([str(file) for file in files])
    await panel.get_by_label("Face").select_option("bob")
    await panel.get_by_label("Priority").fill("7")
    await panel.get_by_role("button", name="Start").click()
    links = panel.locator(".uploads li.done a")
    await links.nth(1).wait_for()
    assert await panel.locator(".uploads progress").first.evaluate("bar => bar.value") == 1
    await visit.page.keyboard.press("Escape")
    for file in files:
        await visit.row(file).locator(".chip.succeeded").wait_for()


async def test_a_person_is_uploaded_with_the_target(visit: Visit, media: Path, tmp_path: Path) -> None:
    target = tmp_path / "with a person.png"
    shutil.copyfile(media / "photo.png", target)
    await visit.page.keyboard.press("u")
    panel = visit.page.get_by_role("dialog", name="Upload")
    await panel.locator("#targets").set_input_files(str(target))
    await panel.get_by_role("combobox", name="Face").select_option("")
    await panel.get_by_role("button", name="Start").click()
    await panel.get_by_text("Choose one or more photos of the person.").wait_for()
    await panel.get_by_label("Photos of the one person").set_input_files(str(media / "other.png"))
    await panel.get_by_role("button", name="Start").click()
    await panel.locator(".uploads li.done a").wait_for()


async def test_what_is_no_target_is_refused_in_words(visit: Visit, tmp_path: Path) -> None:
    text = tmp_path / "words.mp4"
    text.write_text("no video\n" * 100)
    await visit.page.keyboard.press("u")
    panel = visit.page.get_by_role("dialog", name="Upload")
    await panel.locator("#targets").set_input_files(str(text))
    await panel.get_by_role("button", name="Start").click()
    await panel.locator(".uploads li.failed").wait_for()
    assert len(await panel.locator(".uploads li.failed").inner_text()) > len("words.mp4") + 20


async def test_a_face_is_added_and_deleted_after_a_question(visit: Visit, media: Path) -> None:
    await visit.go("#faces")
    await visit.page.get_by_role("textbox", name="Name", exact=True).fill("carol")
    await visit.page.get_by_label("Photos", exact=True).set_input_files(str(media / "other.png"))
    await visit.page.get_by_role("button", name="Add", exact=True).click()
    card = visit.page.locator("li.face").filter(has=visit.page.get_by_role("heading", name="carol"))
    await card.locator(".thumb.there").wait_for()
    await card.get_by_role("button", name="Delete carol").click()
    question = visit.page.get_by_role("dialog", name="Delete the face carol?")
    await question.get_by_role("button", name="Delete the face").click()
    await card.wait_for(state="detached")
    assert not (visit.farm.folder / "faces" / "carol").exists()


async def test_an_inbox_is_paused_alone(visit: Visit) -> None:
    await visit.go("#inboxes")
    await visit.page.get_by_role("button", name="Pause the inbox inbox").click()
    await visit.page.get_by_role("button", name="Resume the inbox inbox").wait_for()
    status = visit.farm.status()
    assert (status.state, [inbox.paused for inbox in status.inboxes]) == ("running", [True])
    await visit.page.get_by_role("button", name="Resume the inbox inbox").click()
    await visit.page.get_by_role("button", name="Pause the inbox inbox").wait_for()


async def test_health_says_how_the_machine_is(visit: Visit) -> None:
    await visit.go("#health")
    await visit.page.locator(".checks li.well").first.wait_for()
    await visit.page.locator(".meter-card").first.wait_for()
    assert "GB" in await visit.page.locator(".meters").inner_text()


async def test_colours_are_remembered(visit: Visit) -> None:
    dark = "getComputedStyle(document.body).backgroundColor"
    before = await visit.page.evaluate(dark)
    await visit.page.get_by_role("button", name="Use dark colours").click()
    chosen = await visit.page.evaluate(dark)
    assert chosen != before
    await visit.page.reload()
    assert await visit.page.evaluate(dark) == chosen


@pytest.mark.parametrize("width", [360, 1200])
async def test_every_part_fits_and_every_control_has_a_name(visit: Visit, media: Path, width: int) -> None:
    await visit.page.set_viewport_size({"width": width, "height": 800})
    target = visit.drop(media / "photo.png", "alice", f"{'a_very_long_name_' * 8}{width}.png")
    job = visit.farm.ended(target)
    await visit.row(target).wait_for()
    for place in (*VIEWS, f"#job/{job.id}"):
        await visit.go(place)
        await visit.page.locator("dialog .facts, main > section:not([hidden]) > :not([hidden])").first.wait_for()
        assert await visit.page.evaluate("document.documentElement.scrollWidth") <= width, place
        assert await visit.page.evaluate("() => document.querySelector('dialog')?.scrollWidth ?? 0") <= width, place
        assert await visit.page.evaluate(NAMELESS) == [], place


async def test_keys_move_among_the_jobs(visit: Visit, media: Path) -> None:
    target = visit.drop(media / "photo.png", "alice", "for the keys.png")
    visit.farm.ended(target)
    await visit.row(target).wait_for()
    await visit.page.keyboard.press("j")
    first = await visit.page.evaluate("document.activeElement.className")
    assert first == "job-name"
    await visit.page.keyboard.press("?")
    await visit.page.get_by_role("dialog", name="Keys and help").wait_for()
    await visit.page.keyboard.press("Escape")
    await visit.page.get_by_role("dialog").wait_for(state="hidden")
