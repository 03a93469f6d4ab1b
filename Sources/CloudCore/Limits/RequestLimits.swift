/// The bounds on one request, whatever it asks for.
package struct RequestLimits: Sendable {
    package let shortBody = Limit(
        112 << 10, "bytes of a body at Identity, Compute and Block Storage (`max_request_body_size`)", answer: "413")
    package let body = Limit(1 << 20, "bytes of a body at Networking, Placement and Images", answer: "413")
    package let toolBody = Limit(64 << 10, "bytes of a body of the operator's tools", answer: "413")
    package let guestBody = Limit(1020, "bytes that a guest sends to the metadata service", answer: "413")
    package let longBody = Limit(
        64 << 10, "bytes of a body from a caller without a token and a role", answer: "401, 403")
    package let bodyValues = Limit(50_000, "values in a body, with those inside arrays and objects", answer: "400")
    package let bodyDepth = Limit(64, "arrays and objects inside one another", answer: "400")
    package let numberLength = Limit(64, "characters of a number in JSON", answer: "400")
    package let queryLength = Limit(16 << 10, "bytes of a query, behind the `?`", answer: "400")
    package let queryItems = Limit(256, "items of a query, and so of its filters", answer: "400")
    package let token = Limit(4096, "bytes of a token", answer: "401")
    package let oauthHeader = Limit(8192, "bytes of the `Authorization` header of OAuth1", answer: "401")
    package let bulk = Limit(1000, "things of one request of Networking", answer: "400")
    package let servers = Limit(1000, "servers of one request", answer: "403; above `min_count`, fewer are made")
}

/// The bounds on a list.
package struct ListLimits: Sendable {
    package let page = Limit(1000, "rows of a page", answer: "a page of as many")
    package let heavyPage = Limit(
        25, "rows of a page of address groups, whose rows are large", answer: "a page of as many")
    package let pageBytes = Limit(
        1 << 20, "characters of properties and tags of a page of images",
        answer: "a shorter page, with a link to the next")
    package let sortKeys = Limit(64, "keys of an order, counted before repeated ones are dropped", answer: "400")
    package let filterValues = Limit(500, "values behind commas in one item of a query", answer: "400")
    package let projectTags = Limit(80, "tags of one filter of projects and domains", answer: "400")
    package let cacheEntries = Limit(
        10_000, "images that a list of the image cache shows", answer: "others are not seen")
    package let tasks = Limit(
        10_000, "tasks of images that a list looks at, the newest first", answer: "older ones are not seen")
}

/// The bounds on a regular expression from a caller.
package struct PatternLimits: Sendable {
    package let length = Limit(255, "bytes of a regular expression", answer: "400")
    package let steps = Limit(512, "steps of its automaton, with the repetitions written out", answer: "400")
    package let text = Limit(65_536, "characters of a text that is searched", answer: "no match")
}
