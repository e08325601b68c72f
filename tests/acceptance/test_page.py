"""The page of the demo in a browser: it shows what the database holds, asks no machine for anything, and runs no text of the data."""

import json
import os
import pwd
import re
import shutil
import socket
import tempfile
import threading
from collections import Counter
from pathlib import Path

import pytest

from browser import browsing
from lowland_gis.products.maps.page import build

NASTY = "</script><script>document.title='hit'</script><img src=x onerror=\"document.title='hit'\">"


@pytest.fixture(scope="module")
def folder():
    # A browser of another account must be able to walk there.
    made = Path(tempfile.mkdtemp(prefix="page-"))
    made.chmod(0o755)
    yield made
    shutil.rmtree(made)


@pytest.fixture(scope="module")
def page(demo, folder):
    done = demo.lowland("map", "page", str(folder / "page.html"))
    assert done.returncode == 0, done.stderr
    (folder / "page.html").chmod(0o644)
    return folder / "page.html"


@pytest.fixture(scope="module")
def browser(folder):
    with browsing(folder / "profile") as found:
        yield found


def shown(browser, name):
    return browser.run(f"document.getElementById('{name}').innerText")


def test_counts_areas_and_choices_are_those_of_the_database(demo, page, browser):
    browser.open(page.as_uri())
    kinds = dict(
        demo.rows(
            "SELECT answer, count(*) FROM result.verdict WHERE question = 'kind'"
            " AND run_id = (SELECT max(run_id) FROM result.run WHERE stage = 'classify') GROUP BY 1"
        )
    )
    counts = browser.run(
        "(() => { const found = {}; for (const k of lowland.data.parcels.kind) { const n = lowland.data.kinds[k].key;"
        " found[n] = (found[n] || 0) + 1; } return found; })()"
    )
    assert counts == kinds
    ((area, n),) = demo.rows("SELECT sum(round(area_m2::numeric, 2)), count(*) FROM land.parcel")
    assert f"{n:,} 宗，{float(area) / 10_000:,.2f}".rstrip("0").rstrip(".") in shown(browser, "count")
    for name in ("town", "state"):
        assert browser.run(f"document.getElementById('{name}').options.length") > 2
    for number, count in enumerate(browser.run("lowland.data.kinds.map(k => k.key)")):
        browser.run(
            f"(() => {{ const box = document.getElementById('kind'); box.value = '{number}';"
            " box.dispatchEvent(new Event('change')); })()"
        )
        assert f"显示 {kinds[count]:,} 宗" in shown(browser, "count")
    assert browser.errors == []


def chosen(browser, **titles):
    """Choose what stands under these titles in the lists (town, kind, state), the others being all, and return how many parcels are shown."""
    for name in ("town", "kind", "state"):
        browser.run(
            f"(() => {{ const box = document.getElementById('{name}'), title = {json.dumps(titles.get(name))};"
            " const wanted = [...box.options].find((one) => one.textContent === title);"
            " if (title && !wanted) throw new Error('no ' + title);"
            " box.value = title ? wanted.value : '-1'; box.dispatchEvent(new Event('change')); })()"
        )
    return int(re.search(r"显示 ([\d,]+) 宗", shown(browser, "count"))[1].replace(",", ""))


def test_towns_and_states_are_filtered_and_hold_together_with_kinds(demo, page, browser):
    browser.open(page.as_uri())
    parcels = demo.rows(
        "SELECT p.parcel_id, town.name, v.answer, stands.state FROM land.current_parcel p"
        " JOIN result.verdict v ON v.parcel_id = p.parcel_id AND v.question = 'kind'"
        "  AND v.run_id = (SELECT max(run_id) FROM result.run WHERE stage = 'classify')"
        " LEFT JOIN (SELECT code, attributes->>'XZMC' AS name FROM land.current_feature WHERE layer = 'town') town"
        "  ON town.code = p.town_code"
        " LEFT JOIN (SELECT subject, state FROM registry.current_entry WHERE register = 'low_efficiency') stands ON stands.subject = p.parcel_id"
    )
    titles = {kind["key"]: kind["style"]["title"] for kind in browser.run("lowland.data.kinds")}
    assert chosen(browser) == len(parcels)
    towns = Counter(town for _, town, _, _ in parcels)
    assert {town: chosen(browser, town=town) for town in towns} == towns
    without = sum(state is None for _, _, _, state in parcels)
    states = browser.run("lowland.data.states")
    found = {state: chosen(browser, state=state) for state in states}
    assert found[states[-1]] == without, "what stands in no register is the last of the list"
    assert sum(found.values()) == len(parcels)
    both = Counter((town, titles[kind]) for _, town, kind, state in parcels if state is not None)
    (town, kind), n = both.most_common(1)[0]
    drafted = next(state for state in states if found[state] == len(parcels) - without)
    assert chosen(browser, town=town, kind=kind, state=drafted) == n
    assert browser.errors == []


def test_a_link_and_a_click_tell_the_clauses_with_the_values_that_the_explanation_has(demo, page, browser):
    ((parcel,),) = demo.rows(
        "SELECT max(parcel_id) FROM result.verdict WHERE answer = 'industrial' AND question = 'kind' AND settled"
    )
    told = demo.json("classify", "explain", parcel)
    browser.open("about:blank", "true")
    browser.open(f"{page.as_uri()}#parcel={parcel}")
    said = shown(browser, "parcel")
    (question,) = [item for item in told["questions"] if item["question"] == "kind"]
    (rule,) = [item for item in question["rules"] if item["rule"] == question["rule"]]
    assert parcel in said
    assert f"{question['title']}：{question['answer_title']}" in said
    assert f"{rule['title']}（据此认定）" in said
    for clause in rule["clauses"]:
        assert clause["title"] in said
        if clause["value"] is not None and clause["unit"] == "万元/亩":
            assert (
                f"{clause['measure_title']}：{round(clause['value'], 4):,.4f}".rstrip("0").rstrip(".") in said
            )
    # Another one by the mouse: the canvas is asked what lies there.
    x, y, other = browser.run(
        "(() => { const d = lowland.data.parcels, i = d.codes.findIndex((c, n) => c !== lowland.data.parcels.codes[lowland.chosen.parcel]);"
        " lowland.choose(i, true); lowland.choose(-1); const r = document.getElementById('map').getBoundingClientRect();"
        " const s = lowland.map.options.crs, c = lowland.data.corner, p = s.projection.unproject(L.point(d.places[i][0] + c[0], d.places[i][1] + c[1]));"
        " const at = lowland.map.latLngToContainerPoint(p); return [r.x + at.x, r.y + at.y, d.codes[i]]; })()"
    )
    assert other not in shown(browser, "parcel")
    browser.click(x, y)
    assert other in shown(browser, "parcel")
    assert browser.run("location.hash") == f"#parcel={other}"
    assert browser.errors == []


def test_a_code_is_found_by_its_end_and_one_that_is_not_there_is_said(page, browser):
    browser.open(page.as_uri())
    code = browser.run("lowland.data.parcels.codes[7]")
    browser.run(f"lowland.find({json.dumps(code)})")
    assert code in shown(browser, "parcel")
    browser.run("lowland.find('没有的代码')")
    assert "没有代码为“没有的代码”的宗地" in shown(browser, "said")


def test_no_request_leaves_the_page_and_text_of_the_data_is_only_text(page, browser, folder):
    text = page.read_text(encoding="utf-8")
    (held,) = re.findall(r'<script type="application/json" id="data">(.*?)</script>', text, re.DOTALL)
    data = json.loads(held)
    data["title"] = data["towns"][0] = data["questions"][0]["title"] = NASTY
    data["parcels"]["location"] = [NASTY] * len(data["parcels"]["codes"])
    data["layers"][-1]["names"] = [NASTY] * len(data["layers"][-1]["names"])
    nasty = build.write_page(data, folder / "nasty.html")
    browser.requests.clear()
    browser.open(nasty.as_uri())
    browser.run("lowland.choose(0, true)")
    assert NASTY in shown(browser, "parcel")
    assert browser.run("document.title") == NASTY
    assert browser.run("document.scripts.length") == len(build.SCRIPTS) + 2
    assert browser.run("document.images.length") == 0
    assert [each for each in browser.requests if not each.startswith(("file:", "data:"))] == []
    assert browser.errors == []


def test_the_policy_of_the_page_stops_what_would_ask_another_machine(page, browser):
    asked = []
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(20)

        def listen():
            try:
                heard = listening.accept()[0]
                # Written down before the browser can learn how it ended.
                asked.append(1)
                heard.close()
            except OSError:
                pass

        threading.Thread(target=listen, daemon=True).start()
        address = f"http://127.0.0.1:{listening.getsockname()[1]}/x.png"
        load = f"new Promise(done => {{ const i = new Image(); i.onload = i.onerror = () => done(1); i.src = '{address}'; }})"
        browser.open(page.as_uri())
        browser.run(load)
        assert asked == []
        # The listener does hear a page that has no such policy.
        browser.open("about:blank", "true")
        browser.run(load)
        assert asked == [1]
    browser.errors.clear()


def test_an_ordinary_user_sees_the_same(page, folder):
    """Root starts the browser as somebody else; anybody else is an ordinary user anyway."""
    account = pwd.getpwnam("nobody").pw_uid if os.getuid() == 0 else None
    home = folder / "nobody"
    home.mkdir()
    if account is not None:
        os.chown(home, account, account)
    with browsing(home, account) as browser:
        browser.open(page.as_uri())
        assert "显示" in shown(browser, "count")


def test_a_page_of_results_that_are_out_of_date_says_so(demo, project_at, folder, browser):
    other = folder / "other"
    other.mkdir()
    settings = (demo.folder / "lowland.toml").read_text(encoding="utf-8")
    changed = re.sub(r"^as_of = .*$", "as_of = 2024-06-30", settings, flags=re.MULTILINE)
    assert changed != settings
    (other / "lowland.toml").write_text(changed, encoding="utf-8")
    done = project_at(other, demo.dsn).lowland("map", "page", str(other / "p.html"))
    assert done.returncode == 1
    assert "Stale: " in done.stderr
    browser.open((other / "p.html").as_uri())
    assert "成果已过期" in shown(browser, "stale")
    assert browser.run("document.getElementById('stale').hidden") is False
