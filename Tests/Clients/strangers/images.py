"""Images."""

from harness import Failure, expect

from .people import IMAGE, NOWHERE


def an_error_is_in_the_form_that_is_asked_for(people):
    member = people.member()
    for accept, kind in (("*/*", "text/html"), ("text/html", "text/html"), ("", "text/plain"), ("application/json", "application/json")):
        answer = member.ask("GET", f"{IMAGE}/images/{NOWHERE}", status=404, headers={"Accept": accept})
        if not answer.headers["Content-Type"].startswith(kind):
            raise Failure(f"Accept: {accept}: {answer.headers['Content-Type']}")
        expect(NOWHERE in answer.content.decode(), True, f"whether the error for {accept!r} names what is not there")


def a_time_as_the_value_of_a_filter_has_no_operator(people):
    member = people.member()
    for value in ("2016-04-17T22:10:00Z", "2016-04-17T22:10", "2016-04-17"):
        expect(member.ask("GET", f"{IMAGE}/images?name={value}", status=200).json["images"], [], f"images named {value}")
    member.ask("GET", f"{IMAGE}/images?created_at=gt:2011-01-24", status=200)


CASES = [an_error_is_in_the_form_that_is_asked_for, a_time_as_the_value_of_a_filter_has_no_operator]
