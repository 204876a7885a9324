"""The public pages in a real browser: by keyboard alone, without JavaScript, on the narrowest phone."""

import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import pytest
import uvicorn
from selenium.webdriver import Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from sqlalchemy.exc import OperationalError
from tests.unit.web.public.stand_ins import Workflows

from enrollment_crm.domain.preferences import Preferences
from enrollment_crm.domain.topics import Topic
from enrollment_crm.stack.ports import free_port
from enrollment_crm.web.public.site import build_site

CHROMIUM = shutil.which("chromium")
DRIVER = shutil.which("chromedriver")
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--lang=en-US",
)  # fmt: skip

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not (CHROMIUM and DRIVER), reason="no Chromium here: apt-get install chromium chromium-driver"),
]


@dataclass
class Site:
    """A served site and what it kept."""

    url: str
    workflows: Workflows = field(default_factory=Workflows)


@pytest.fixture
def site() -> Iterator[Site]:
    """The public site on loopback, over stand-ins for the workflows."""
    port = free_port()
    served = Site(f"http://127.0.0.1:{port}/request-info")
    app = build_site(served.workflows.parts())
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_level="warning", access_log=False))
    thread = threading.Thread(target=server.run)
    thread.start()
    wait_until(lambda: server.started)
    yield served
    server.should_exit = True
    thread.join()


Open = Callable[..., Chrome]


@pytest.fixture
def open_browser(tmp_path: Path) -> Iterator[Open]:
    """Opens browsers with a profile of their own, and closes them."""
    opened: list[Chrome] = []

    def open_it(*, javascript: bool = True, width: int = 1280) -> Chrome:
        options = ChromeOptions()
        options.binary_location = CHROMIUM or ""
        for flag in (*FLAGS, f"--user-data-dir={tmp_path / str(len(opened))}"):
            options.add_argument(flag)
        if not javascript:
            options.add_experimental_option("prefs", {"profile.managed_default_content_settings.javascript": 2})
        opened.append(Chrome(options=options, service=Service(DRIVER)))
        size = {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": width < 600}
        opened[-1].execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        return opened[-1]

    yield open_it
    for browser in opened:
        browser.quit()


def wait_until(is_so: Callable[[], object], *, seconds: float = 10) -> None:
    """Look again and again; fail when it does not become so."""
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline, "it did not become so in time"
        time.sleep(0.02)


@contextmanager
def next_page(browser: Chrome) -> Iterator[None]:
    """Waits until what is done inside has led to another document that is complete."""
    before = browser.find_element(By.TAG_NAME, "html").id
    yield
    # Between two documents there is none.
    wait_until(lambda: [one.id for one in browser.find_elements(By.TAG_NAME, "html")] not in ([], [before]))
    wait_until(lambda: browser.execute_script("return document.readyState") == "complete")


def press(browser: Chrome, *keys: str) -> None:
    """Type into whatever has the focus."""
    browser.switch_to.active_element.send_keys(*keys)


def focused(browser: Chrome) -> str:
    """Name, id or class of what has the focus."""
    element = browser.switch_to.active_element
    return element.get_attribute("name") or element.get_attribute("id") or element.get_attribute("class") or ""


def tab_to(browser: Chrome, name: str) -> None:
    """Press Tab until the field of that name has the focus."""
    for _ in range(12):
        press(browser, Keys.TAB)
        if focused(browser) == name:
            return
    raise AssertionError(f"Tab does not lead to {name}")


def fill_in_by_keyboard(browser: Chrome) -> None:
    """The whole form without a pointer, from the top of the page."""
    for name, text in (("first_name", "Ngozi"), ("last_name", "Okafor"), ("email", "ngozi@example.com")):
        tab_to(browser, name)
        press(browser, text)
    tab_to(browser, "country")
    press(browser, "Nigeria")
    tab_to(browser, "residency")
    press(browser, Keys.SPACE)
    press(browser, Keys.ARROW_DOWN)
    press(browser, Keys.ARROW_DOWN)
    tab_to(browser, "entry_term")
    press(browser, "Fall 2027")
    tab_to(browser, "consent")
    press(browser, Keys.SPACE)
    with next_page(browser):
        press(browser, Keys.ENTER)


def test_form_is_filled_in_by_keyboard(site: Site, open_browser: Open) -> None:
    browser = open_browser()
    browser.execute_cdp_cmd("Emulation.setTimezoneOverride", {"timezoneId": "Africa/Lagos"})
    browser.get(site.url)
    fill_in_by_keyboard(browser)
    assert browser.find_element(By.TAG_NAME, "h1").text == "Thank you"
    (form,) = site.workflows.forms
    expected = {
        "first_name": "Ngozi", "email": "ngozi@example.com", "country": "NG", "entry_term": "fall 2027",
        "residency": "international_outside_us", "consent": "yes", "time_zone": "Africa/Lagos", "website": "",
    }  # fmt: skip
    assert {name: form[name] for name in expected} == expected


def test_form_works_without_javascript(site: Site, open_browser: Open) -> None:
    browser = open_browser(javascript=False)
    browser.get(site.url)
    browser.find_element(By.NAME, "first_name").send_keys("Ngozi")
    browser.find_element(By.NAME, "email").send_keys("ngozi@example.com")
    browser.find_element(By.NAME, "consent").click()
    browser.find_element(By.CSS_SELECTOR, "button").click()
    wait_until(lambda: browser.current_url.endswith("/thank-you"))
    (form,) = site.workflows.forms
    assert form["time_zone"] == "", "JavaScript was on: this test proves nothing"
    assert form["submission"]


def test_errors_are_announced_and_lead_to_their_fields(site: Site, open_browser: Open) -> None:
    browser = open_browser(javascript=False)
    browser.get(site.url)
    browser.find_element(By.NAME, "first_name").send_keys("Ngozi")
    browser.find_element(By.CSS_SELECTOR, "button").click()
    wait_until(lambda: browser.title.startswith("Error: "))
    wait_until(lambda: focused(browser) == "error-summary")
    assert browser.switch_to.active_element.aria_role == "alert"
    links = browser.find_elements(By.CSS_SELECTOR, ".error-summary a")
    assert [link.text for link in links] == [
        "Enter your email address.",
        "Tick the box to agree to our emails: without it we cannot write to you.",
    ]
    press(browser, Keys.TAB)
    press(browser, Keys.ENTER)
    wait_until(lambda: focused(browser) == "email")
    assert browser.find_element(By.NAME, "first_name").get_attribute("value") == "Ngozi"
    assert browser.find_element(By.NAME, "email").get_attribute("aria-invalid") == "true"
    assert site.workflows.forms == []


def test_every_field_has_an_accessible_name(site: Site, open_browser: Open) -> None:
    browser = open_browser()
    browser.get(site.url)
    fields = browser.find_elements(By.CSS_SELECTOR, "form :is(input, select):not([type=hidden], [name=website])")
    names = [field.accessible_name for field in fields]
    assert len(names) == 12
    assert all(names)
    assert len(set(names)) == len(names)


def test_the_trap_is_for_robots_alone(site: Site, open_browser: Open) -> None:
    browser = open_browser()
    browser.get(site.url)
    trap = browser.find_element(By.NAME, "website")
    attributes = ("tabindex", "autocomplete", "required", "type")
    assert [trap.get_attribute(name) for name in attributes] == ["-1", "off", None, "text"]
    # For eyes: nothing of it is on the page. For screen readers: neither it nor its label is in the tree.
    assert browser.execute_script("return arguments[0].getBoundingClientRect().right", trap) < 0
    assert browser.find_elements(By.CSS_SELECTOR, "[aria-hidden=true] label[for=website]")
    tree = browser.execute_cdp_cmd("Accessibility.getFullAXTree", {})["nodes"]
    spoken = {str(node.get("name", {}).get("value")) for node in tree if not node["ignored"]}
    assert {"Email address (required)", "Request information"} <= spoken
    assert not any("Leave this field empty" in name for name in spoken)
    # For keyboards: the whole way round, it never has the focus.
    reached = []
    for _ in range(40):
        press(browser, Keys.TAB)
        reached.append(focused(browser))
    assert {"first_name", "consent", "button"} <= set(reached)
    assert "website" not in reached


def test_whoever_must_wait_sends_the_same_answers_again(site: Site, open_browser: Open) -> None:
    browser = open_browser(javascript=False)
    for _ in range(11):
        browser.get(site.url)
        browser.find_element(By.NAME, "first_name").send_keys("Ngozi")
        browser.find_element(By.NAME, "email").send_keys("ngozi@example.com")
        browser.find_element(By.NAME, "consent").click()
        with next_page(browser):
            browser.find_element(By.CSS_SELECTOR, "button").click()
    assert browser.find_element(By.CSS_SELECTOR, "[role=alert] h1").text == "Please wait a little"
    assert focused(browser) == "button"
    measured = browser.execute_script(CONTRASTS)
    assert [(text, ratio) for text, ratio in measured if ratio < 4.5] == []
    site.workflows.seconds += 3600
    with next_page(browser):
        press(browser, Keys.ENTER)
    assert browser.current_url.endswith("/thank-you")
    assert len(site.workflows.forms) == 11


@pytest.mark.parametrize("width", [320, 1280])
def test_no_page_scrolls_sideways(site: Site, open_browser: Open, width: int) -> None:
    browser = open_browser(width=width)
    for path in ("", "/thank-you", "/../unsubscribe/good", "/../preferences/good", "/../nowhere"):
        browser.get(site.url + path)
        assert browser.execute_script("return document.documentElement.scrollWidth") <= width
    browser.get(site.url)
    with next_page(browser):
        browser.find_element(By.CSS_SELECTOR, "button").click()
    assert browser.execute_script("return document.documentElement.scrollWidth") <= width


def test_text_stands_out_from_its_ground(site: Site, open_browser: Open) -> None:
    browser = open_browser()
    browser.get(site.url)
    with next_page(browser):
        browser.find_element(By.CSS_SELECTOR, "button").click()
    measured = browser.execute_script(CONTRASTS)
    assert len(measured) > 40
    assert [(text, ratio) for text, ratio in measured if ratio < 4.5] == []


def test_preferences_are_chosen_by_keyboard_without_javascript(site: Site, open_browser: Open) -> None:
    browser = open_browser(javascript=False)
    browser.get(f"{site.url}/../preferences/good")
    boxes = browser.find_elements(By.CSS_SELECTOR, "form [type=checkbox], form [type=date]")
    names = [box.accessible_name for box in boxes]
    assert names == ["Deadlines", "Prep sessions", "Program news", "Write nothing before this day"]
    tab_to(browser, "sessions")
    press(browser, Keys.SPACE)
    tab_to(browser, "paused_until")
    press(browser, "01152027")
    with next_page(browser):
        press(browser, Keys.ENTER)
    assert browser.find_element(By.TAG_NAME, "h1").text == "Saved"
    (choice,) = site.workflows.choices
    assert choice[1] == Preferences(frozenset({Topic.DEADLINES, Topic.NEWS}), date(2027, 1, 15))
    measured = browser.execute_script(CONTRASTS)
    assert [(text, ratio) for text, ratio in measured if ratio < 4.5] == []


def test_answers_survive_a_database_that_is_down(site: Site, open_browser: Open) -> None:
    site.workflows.failure = None
    browser = open_browser()
    browser.get(site.url)
    browser.find_element(By.NAME, "first_name").send_keys("Ngozi")
    browser.find_element(By.NAME, "email").send_keys("ngozi@example.com")
    browser.find_element(By.NAME, "consent").click()
    site.workflows.failure = OperationalError("INSERT", {}, Exception("refused"))
    with next_page(browser):
        browser.find_element(By.CSS_SELECTOR, "button").click()
    assert "We could not save" in browser.title
    site.workflows.failure = None
    with next_page(browser):
        press(browser, Keys.ENTER)
    assert browser.current_url.endswith("/thank-you")
    assert [form["email"] for form in site.workflows.forms] == ["ngozi@example.com"]


#: Text and WCAG contrast of every element with words of its own; on a gradient, against its first (lightest) colour.
CONTRASTS = """
const channel = v => (v /= 255) <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
const rgb = text => text.match(/rgba?\\(([^)]+)\\)/)[1].split(/[ ,/]+/).map(Number);
const light = c => 0.2126 * channel(c[0]) + 0.7152 * channel(c[1]) + 0.0722 * channel(c[2]);
const ground = e => {
  for (; e; e = e.parentElement) {
    const style = getComputedStyle(e);
    if (style.backgroundImage !== "none") return rgb(style.backgroundImage);
    const color = rgb(style.backgroundColor);
    if (color.length < 4 || color[3] > 0) return color;
  }
  return [255, 255, 255];
};
const found = [];
for (const e of document.body.querySelectorAll("*")) {
  const words = [...e.childNodes].filter(n => n.nodeType === 3).map(n => n.data.trim()).join("");
  if (!words || e.tagName === "OPTION") continue;
  const pair = [light(rgb(getComputedStyle(e).color)), light(ground(e))].sort((a, b) => b - a);
  found.push([words, (pair[0] + 0.05) / (pair[1] + 0.05)]);
}
return found;
"""
