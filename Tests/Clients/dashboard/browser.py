"""A person's browser, as far as the dashboard needs one: cookies, links, forms, and the messages that a page shows."""

import html.parser
import json
import re
import urllib.parse

import requests

from harness import Failure

# How the dashboard marks the messages that tell of something that went wrong.
BAD = ("error", "danger")


class Page(html.parser.HTMLParser):
    """What a person sees of an answer: its links, its forms with what they hold, and its messages."""

    EMPTY = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}

    def __init__(self, answer):
        super().__init__(convert_charrefs=True)
        self.answer = answer
        self.url = answer.url
        self.status = answer.status_code
        self.links = []
        self.forms = []
        self.title = ""
        self.alerts = []
        self._form = self._select = self._area = None
        self._alert = None
        self._depth = 0
        self._in_title = self._many = False
        if "text/html" in answer.headers.get("Content-Type", ""):
            # What is in a script is no part of the page (templates are), nor what is for browsers without scripts.
            self.feed(re.sub(r"<(script|noscript)\b.*?</\1>", "", answer.text, flags=re.S))

    @property
    def errors(self):
        """The messages of something that went wrong, on the page and in the header for its scripts."""
        queued = [(tag, text) for tag, text, *_ in json.loads(self.answer.headers.get("X-Horizon-Messages", "[]"))]
        shown = [(kind, " ".join(text.split())) for kind, text in self.alerts]
        return [text for kind, text in queued + shown if any(bad in kind for bad in BAD)]

    def handle_starttag(self, tag, pairs):
        fields = dict(pairs)
        if self._alert and tag not in self.EMPTY:
            self._depth += 1
        if tag == "a" and fields.get("href"):
            self.links.append((urllib.parse.urljoin(self.url, fields["href"]), fields.get("class") or ""))
        elif tag == "title":
            self._in_title = True
        elif tag == "form":
            self._form = Form(urllib.parse.urljoin(self.url, fields.get("action") or ""), fields.get("id") or "")
            self.forms.append(self._form)
        elif tag == "div" and "alert-" in (fields.get("class") or "") and not self._alert:
            self._alert, self._depth = [fields["class"], ""], 1
        if self._form and fields.get("name"):
            self._field(tag, fields)
        elif tag == "option" and self._select:
            value = fields.get("value", "")
            self._form.choices[self._select].append(value)
            if "selected" in fields:
                self._form.values.setdefault(self._select, []).append(value)

    def _field(self, tag, fields):
        name, kind = fields["name"], (fields.get("type") or "text").lower()
        if tag == "button":
            self._form.buttons.append(fields.get("value") or "")
        elif tag == "input" and kind in ("checkbox", "radio"):
            self._form.choices.setdefault(name, []).append(fields.get("value", "on"))
            if "checked" in fields:
                self._form.values.setdefault(name, []).append(fields.get("value", "on"))
        elif tag == "input" and kind not in ("submit", "button", "file"):
            self._form.values.setdefault(name, []).append(fields.get("value") or "")
        elif tag == "select":
            self._select, self._many = name, "multiple" in fields
            self._form.choices.setdefault(name, [])
        elif tag == "textarea":
            self._area = name
            self._form.values[name] = [""]

    def handle_endtag(self, tag):
        if self._alert and tag not in self.EMPTY:
            self._depth -= 1
            if self._depth == 0:
                self.alerts.append(tuple(self._alert))
                self._alert = None
        if tag == "title":
            self._in_title = False
        elif tag == "form":
            self._form = None
        elif tag == "select":
            # A list of which one is chosen shows its first when none was.
            if self._form and self._select and not self._many and self._form.choices[self._select]:
                self._form.values.setdefault(self._select, self._form.choices[self._select][:1])
            self._select = None
        elif tag == "textarea":
            self._area = None

    def handle_data(self, data):
        if self._in_title:
            self.title += data
        if self._alert:
            self._alert[1] += data
        if self._area and self._form:
            self._form.values[self._area][0] += data

    def form(self, ending):
        """The form whose address ends so."""
        found = [form for form in self.forms if urllib.parse.urlsplit(form.action).path.rstrip("/").endswith(ending.rstrip("/"))]
        if not found:
            raise Failure(f"{self.url} has no form for {ending}, only {[form.action for form in self.forms]}; {self.errors}")
        return found[0]


class Form:
    """A form: where it goes, and what its fields hold."""

    def __init__(self, action, identifier):
        self.action = action
        self.identifier = identifier
        self.values = {}
        self.choices = {}
        self.buttons = []


class Browser:
    """One person's session. An answer that a person would call an error is a failure, whatever its status is."""

    def __init__(self, url):
        self.url = url
        self.session = requests.Session()

    def open(self, path, ajax=False):
        headers = {"X-Requested-With": "XMLHttpRequest"} if ajax else {}
        return self._judge(self.session.get(urllib.parse.urljoin(self.url, path), headers=headers, timeout=60), "GET", path)

    def submit(self, form, **values):
        """Sends the form with these fields changed, as a browser does. What the dashboard says to it stands on the next page."""
        fields = {name: list(held) for name, held in form.values.items()}
        for name, value in values.items():
            fields[name] = [str(one) for one in (value if isinstance(value, list) else [value])]
        answer = self.session.post(form.action, data=fields, headers={"Referer": form.action}, timeout=60, allow_redirects=False)
        if answer.status_code == 302:
            # Any page shows the messages; this one is made fastest.
            self._judge(self.session.get(f"{self.url}/settings/", timeout=60), "POST", f"{form.action} with {values}")
            return
        self._judge(answer, "POST", f"{form.action} with {values}")
        # A form that was not taken comes back, with what is wrong beside its fields.
        raise Failure(f"POST {form.action} with {values}: the form came back: {complaints(answer.text)}")

    def press(self, page, button):
        """Presses a button of a table: TABLE__ACTION__ROW."""
        wanted = button.split("__")[0]
        form = next((form for form in page.forms if any(wanted in name for name in form.buttons)), None)
        if not form or button not in form.buttons:
            raise Failure(f"{page.url} has no button {button}, only {[form.buttons for form in page.forms]}")
        self.submit(form, action=button)

    def json(self, path):
        answer = self.session.get(urllib.parse.urljoin(self.url, path), timeout=60)
        self._judge(answer, "GET", path)
        return answer.json()

    def api(self, method, path, body=None, status=(200, 201, 204), file=None):
        """What the dashboard's scripts ask its own server for. With a file the body is sent as a form."""
        headers = {"X-Requested-With": "XMLHttpRequest", "X-CSRFToken": self.session.cookies.get("csrftoken"), "Referer": self.url}
        content = {"json": body} if file is None else {"data": {"$$originalJSON": json.dumps(body)}, "files": {"data": ("file", file)}}
        answer = self.session.request(method, f"{self.url}/api/{path}", headers=headers, timeout=60, **content)
        if answer.status_code not in (status if isinstance(status, tuple) else (status,)):
            raise Failure(f"{method} /api/{path} with {body}: {answer.status_code} {answer.text[:300]}")
        return answer.json() if answer.content else None

    def _judge(self, answer, method, path):
        page = Page(answer)
        if answer.status_code != 200:
            raise Failure(f"{method} {path}: {answer.status_code} {page.title.strip()}")
        if page.errors:
            raise Failure(f"{method} {path} shows {page.errors}")
        return page

    def log_in(self, name, password):
        """Lands on the first page, which is not looked at."""
        form = self.open("/auth/login/").form("/auth/login")
        fields = form.values | {"username": name, "password": password, "domain": "Default"}
        landed = self.session.post(form.action, data=fields, headers={"Referer": form.action}, timeout=60)
        if landed.status_code != 200 or "/auth/login" in landed.url:
            raise Failure(f"{name} cannot log in: {landed.status_code} {landed.url} {complaints(landed.text)}")


def complaints(text):
    found = re.findall(r'class="[^"]*(?:help-block alert|errorlist|alert-danger)[^"]*"[^>]*>(.*?)</', text, re.S)
    return [" ".join(re.sub(r"<[^>]*>", " ", one).split()) for one in found]
