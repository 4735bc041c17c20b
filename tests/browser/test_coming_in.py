"""Coming in, going on after a restart, and what the page may not do."""

import asyncio
from pathlib import Path
from typing import Any

from tests.browser.visiting import LIVE, SECONDS, Visit


async def test_a_stranger_reads_how_to_come_in_and_a_link_opens_once(browser: Any, visit: Visit) -> None:
    context = await browser.new_context()
    context.set_default_timeout(SECONDS * 1000)
    page = await context.new_page()
    answer = await page.goto(visit.url + "/")
    assert answer.status == 401
    assert await page.get_by_role("heading").inner_text() == "This daemon wants a key"
    assert "faceswapctl open" in await page.inner_text("main")
    link = visit.link()
    await page.goto(link)
    await page.get_by_role("button", name="Upload", exact=True).wait_for()
    second = await browser.new_context()
    page = await second.new_page()
    answer = await page.goto(link)
    assert answer.status == 401
    await second.close()
    await context.close()


async def test_a_cookie_that_ends_tells_how_to_come_in_again(visit: Visit) -> None:
    await visit.page.context.clear_cookies()
    await visit.page.keyboard.press("p")
    shown = visit.page.get_by_role("dialog", name="You are logged out")
    await shown.wait_for()
    assert "faceswapctl open" in await shown.inner_text()
    other = await visit.page.context.new_page()
    await other.goto(visit.link())
    await other.wait_for_url(visit.url + "/**")
    await other.close()
    await shown.get_by_role("button", name="Go on").click()
    await visit.page.locator(LIVE).wait_for()
    assert visit.farm.status().state == "running"


async def test_the_page_goes_on_by_itself_after_a_restart(visit: Visit, media: Path) -> None:
    visit.page.context.set_default_timeout(2 * SECONDS * 1000)
    await asyncio.to_thread(visit.farm.stop)
    await visit.page.locator("#connection[data-state=reconnecting]").wait_for()
    await asyncio.to_thread(visit.farm.start)
    await visit.page.locator(LIVE).wait_for()
    target = visit.drop(media / "photo.png", "alice", "after.png")
    await visit.row(target).locator(".chip.succeeded").wait_for()


async def test_what_the_policy_forbids_the_browser_forbids(visit: Visit) -> None:
    """The net under the code: a script that came in by whatever way does not run."""
    ran = await visit.page.evaluate(
        """async () => {
            const script = document.createElement("script");
            script.textContent = "window.ran = true";
            document.body.append(script);
            const picture = new Image();
            const told = new Promise((go) => {
                picture.onload = () => go("loaded");
                picture.onerror = () => go("kept");
            });
            picture.src = "data:image/gif;base64,R0lGODlhAQABAAAAACw=";
            return [window.ran === true, await told];
        }"""
    )
    assert ran == [False, "kept"]
    assert len([one for one in visit.wrong if "Content Security Policy" in one]) == 2
    visit.wrong.clear()  # these two were ours
