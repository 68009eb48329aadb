# SPDX-License-Identifier: MIT OR Apache-2.0
"""Downloads one wheel from a package index, going on from the bytes that are there: INDEX PACKAGE WHEEL FILE.

An empty INDEX is the one that pip takes when it is told of none.
"""
import html.parser
import shutil
import sys
import urllib.error
import urllib.parse
import urllib.request

TIMEOUT_S = 30
ATTEMPTS = 5


class Links(html.parser.HTMLParser):
    """The address of a wheel among the links of a page."""

    def __init__(self, page, wheel):
        super().__init__()
        self.page, self.wheel, self.found = page, wheel, None

    def handle_starttag(self, tag, attrs):
        url = urllib.parse.urldefrag(urllib.parse.urljoin(self.page, dict(attrs).get("href") or "")).url
        if tag == "a" and urllib.parse.unquote(url).endswith("/" + self.wheel):
            self.found = url


def address(index, package, wheel):
    if not index:
        from pip._internal.models.index import PyPI

        index = PyPI.simple_url
    page = f"{index.rstrip('/')}/{package}/"
    with urllib.request.urlopen(page, timeout=TIMEOUT_S) as answer:
        links = Links(answer.url, wheel)
        links.feed(answer.read().decode())
    return links.found or sys.exit(f"{wheel} is not among the links of the index")


def go_on(url, file):
    """One request for what is missing; True if the file is whole then."""
    have = file.tell()
    headers = {"Range": f"bytes={have}-"} if have else {}
    try:
        answer = urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=TIMEOUT_S)
    except urllib.error.HTTPError as error:
        if error.code != 416:
            raise
        # Nothing comes after what is there: it is the whole file, or another one.
        if error.headers.get("Content-Range", "").endswith(f"/{have}"):
            return True
        file.truncate(0)
        return False
    with answer:
        if answer.status != 206:
            have = 0
        file.seek(have)
        file.truncate()
        total = have + int(answer.headers["Content-Length"])
        shutil.copyfileobj(answer, file, 1 << 16)
    return file.tell() == total


def main():
    index, package, wheel, path = sys.argv[1:]
    url = address(index, package, wheel)
    failed = 0
    with open(path, "ab") as file:
        while failed < ATTEMPTS:
            have = file.tell()
            try:
                if go_on(url, file):
                    return
            except OSError as error:
                print(error, file=sys.stderr)
            failed = 0 if file.tell() > have else failed + 1
    sys.exit("the connection broke too often")


main()
