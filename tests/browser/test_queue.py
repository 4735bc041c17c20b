"""The queue in a browser: what is seen of jobs, and the orders that are given there."""

import filecmp
from pathlib import Path

from tests.browser.visiting import Visit, another

APART = """() => Math.abs(document.querySelector(".compare-stage > video").currentTime
    - document.querySelector(".compare-over video").currentTime)"""
HOSTILE = "<img src=x onerror=document.title='bad'>&amp;.png"


async def test_a_dropped_image_is_seen_to_its_end_and_compared(visit: Visit, media: Path) -> None:
    target = visit.drop(media / "photo.png", "alice", "portrait of the queue.png")
    row = visit.row(target)
    await row.locator(".chip.succeeded").wait_for()
    await row.get_by_role("link", name=target.name, exact=True).focus()
    await visit.page.keyboard.press("Enter")
    panel = visit.page.get_by_role("dialog")
    slider = panel.get_by_role("slider", name="How much of the picture")
    await slider.focus()
    for _ in range(10):
        await visit.page.keyboard.press("ArrowRight")
    assert await slider.input_value() == "60"
    cut = "document.querySelector('.compare-stage').style.getPropertyValue('--cut')"
    assert await visit.page.evaluate(cut) == "60%"
    await panel.get_by_role("heading", name="History").wait_for()
    assert "succeeded" in await panel.locator(".history").inner_text()
    await visit.page.keyboard.press("Escape")
    await panel.wait_for(state="hidden")
    await visit.settled("!location.hash.startsWith('#job')", "the address is that of the queue again")


async def test_before_and_after_are_the_files_themselves(visit: Visit, media: Path) -> None:
    target = visit.drop(media / "clip.mp4", "alice", "both.mp4")
    job = visit.farm.ended(target)
    assert job.state == "succeeded"
    await visit.go(f"#job/{job.id}")
    await visit.settled(
        "[...document.querySelectorAll('.compare video')].filter(one => one.readyState >= 1).length === 2",
        "both videos",
    )
    await visit.page.get_by_role("button", name="Play both").click()
    await visit.settled("document.querySelector('.compare-stage > video').currentTime > 0.3", "it plays")
    assert await visit.page.evaluate(APART) < 0.25
    await visit.page.get_by_role("button", name="Pause both").click()
    async with visit.page.expect_download() as waiting:
        await visit.page.get_by_role("dialog").get_by_role("link", name="Download").click()
    download = await waiting.value
    assert job.output is not None
    assert filecmp.cmp(await download.path(), job.output, shallow=False)


async def test_pause_and_resume_by_key_and_by_button(visit: Visit) -> None:
    await visit.page.keyboard.press("p")
    await visit.page.get_by_role("button", name="Resume", exact=True).wait_for()
    assert visit.farm.status().state == "paused"
    await visit.page.locator("#banner").get_by_text("Paused: nothing new starts.").wait_for()
    await visit.page.get_by_role("button", name="Resume", exact=True).click()
    await visit.page.get_by_role("button", name="Pause", exact=True).wait_for()
    assert visit.farm.status().state == "running"


async def test_a_waiting_job_is_cancelled_and_comes_back_by_undo(visit: Visit, media: Path) -> None:
    visit.farm.ctl("pause")
    try:
        target = visit.drop(media / "photo.png", "bob", "waits.png")
        row = visit.row(target)
        await row.locator(".chip.queued").wait_for()
        await row.get_by_text("The daemon is paused.").wait_for()
        await row.get_by_role("button", name="Cancel").click()
        await row.locator(".chip.cancelled").wait_for()
        await visit.page.get_by_role("button", name="Undo").click()
        await row.locator(".chip.queued").wait_for()
    finally:
        visit.farm.ctl("resume")


async def test_a_running_job_shows_how_far_it_is_and_is_cancelled_after_a_question(visit: Visit, media: Path) -> None:
    target = visit.drop(media / "long.mp4", "alice", "runs.mp4")
    card = visit.page.locator(".running-card").filter(has_text="runs.mp4")
    await card.wait_for()
    await visit.settled("document.querySelector('.running-card progress')?.value > 0", "the bar moves")
    await visit.settled("/frames\\/s/.test(document.querySelector('.running-card')?.textContent)", "its speed is told")
    await card.get_by_role("button", name="Cancel").click()
    question = visit.page.get_by_role("dialog", name="Cancel job")
    await question.get_by_role("button", name="Leave it").click()
    assert visit.farm.job_of(target).state == "running"
    await card.get_by_role("button", name="Cancel").click()
    await question.get_by_role("button", name="Cancel the job").click()
    await visit.row(target).locator(".chip.cancelled").wait_for()
    await card.wait_for(state="detached")


async def test_a_failed_job_says_why_and_what_to_do_and_is_retried(visit: Visit, media: Path) -> None:
    target = visit.drop(media / "nobody.png", "alice", "nobody at all.png")
    job = visit.farm.ended(target)
    assert job.reason is not None
    await visit.page.get_by_role("button", name="Failed").click()
    row = visit.row(target)
    await row.locator(".chip.failed").wait_for()
    assert job.reason.split("`")[0].strip() in await row.inner_text()
    assert await row.locator(".advice").count() == 1
    await row.get_by_role("button", name="Retry").click()
    await visit.toast(f"Job {job.id} is queued again.")


async def test_a_parked_job_is_given_its_face(visit: Visit, media: Path) -> None:
    target = visit.drop(media / "photo.png", "whose.png")
    row = visit.row(target)
    await row.locator(".chip.parked").wait_for()
    await row.get_by_role("combobox", name="Face for whose.png").select_option("bob")
    await row.get_by_role("button", name="Use this face").click()
    await visit.toast("bob")
    assert visit.farm.ended(target).face == "bob"


async def test_a_job_goes_earlier_in_the_queue(visit: Visit, media: Path) -> None:
    visit.farm.ctl("pause")
    try:
        target = visit.drop(media / "clip.mp4", "bob", "urgent.mp4")
        row = visit.row(target)
        await row.get_by_role("button", name="Earlier").click()
        await row.get_by_text("priority 10").wait_for()
        assert visit.farm.job_of(target).priority == 10
        visit.farm.ctl("cancel", str(visit.farm.job_of(target).id))
    finally:
        visit.farm.ctl("resume")


async def test_a_name_is_text_whatever_it_says(visit: Visit, media: Path) -> None:
    folder = visit.farm.folder / "odd"
    folder.mkdir(exist_ok=True)
    target = folder / HOSTILE
    target.write_bytes(another((media / "nobody.png").read_bytes(), ".png"))
    visit.farm.ctl("submit", str(target), "--face", "bob")
    row = visit.row(target)
    await row.wait_for()
    await row.get_by_role("link", name=HOSTILE, exact=True).click()
    await visit.page.get_by_role("dialog", name=HOSTILE).wait_for()
    assert "faceswapd" in await visit.page.title()
    assert await visit.page.locator("img[src=x]").count() == 0


async def test_a_long_queue_is_shown_a_page_at_a_time_and_searched(visit: Visit, media: Path) -> None:
    visit.farm.ctl("pause")
    try:
        for number in range(55):
            visit.drop(media / "photo.png", "alice", f"many-{number:02}.png")
        visit.farm.until(lambda status: status.counts.get("queued", 0) >= 55, "all are there")
        await visit.page.get_by_role("button", name="Waiting").click()
        await visit.page.locator("#jobs > li").nth(49).wait_for()
        assert await visit.page.locator("#jobs > li").count() == 50
        await visit.page.get_by_role("button", name="Show more").click()
        await visit.page.locator("#jobs > li").nth(54).wait_for()
        await visit.page.keyboard.press("/")
        await visit.page.keyboard.type("many-42")
        await visit.settled("document.querySelectorAll('#jobs > li').length === 1", "only what is searched")
    finally:
        waiting = visit.farm.ctl_json("jobs", "--state", "queued")["jobs"]
        visit.farm.ctl("cancel", *(str(job["id"]) for job in waiting))
        visit.farm.ctl("resume")
