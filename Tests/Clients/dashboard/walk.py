"""Follows links as a person does who wants to see everything once."""

import concurrent.futures
import re
import urllib.parse

from harness import Failure

# What ends the session, leaves the project, or is no page.
# `update_quotas` fails on every cloud: Horizon 27.0.0 takes where a quota of Networking is from for its numbers.
LEAVE = re.compile(
    r"/auth/(logout|switch|switch_services_region)/|/project/api_access/(openrc|clouds\.yaml)/|/i18n/|/success/$|/update_quotas/$"
)
IDENTIFIER = re.compile(r"[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}")


def shape(url):
    """Pages of one kind are looked at once: the address without the ids in it."""
    parts = urllib.parse.urlsplit(url)
    return IDENTIFIER.sub("ID", parts.path), re.sub(r"=[^&]*", "=", IDENTIFIER.sub("ID", parts.query))


def everything(browser, roots, within, but=()):
    """Opens all that the roots lead to, in one, two, ... steps. Returns how many pages; raises with all that went wrong."""
    seen, wrong = set(), []
    ways = [(root, False) for root in roots]
    # A page often waits for a pool of threads of the dashboard's own to end, a second long.
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        while ways:
            chosen = []
            for url, is_modal in ways:
                kind = shape(url)
                if kind in seen or not re.match(within, kind[0]) or LEAVE.search(kind[0]) or kind[0] in but:
                    continue
                seen.add(kind)
                chosen.append((url, is_modal))
            ways = [way for found in pool.map(lambda way: links(browser, *way, wrong), chosen) for way in found]
    if wrong:
        raise Failure("\n".join(sorted(wrong)))
    return len(seen)


def links(browser, url, is_modal, wrong):
    """What the page leads to. What opens as a box above a page is asked for by the page's script."""
    try:
        page = browser.open(url, ajax=is_modal)
    except Failure as failure:
        wrong.append(str(failure))
        return []
    found = [(urllib.parse.urldefrag(link)[0], "ajax-modal" in classes) for link, classes in page.links]
    return [way for way in found if way[0].startswith(browser.url + "/")]
