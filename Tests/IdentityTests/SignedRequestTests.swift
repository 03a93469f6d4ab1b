import CloudCore
import Testing

@testable import Identity

/// Requests that python-keystoneclient has signed: the product must compute the same signatures for each version.
@Suite struct SignedRequestTests {
    private static let secret = Secret("66aaaaaaaa4b11a8a4b11e0bbbbbbbbb")

    private static func query(_ version: String, _ parameters: [String: String], _ signature: String) -> SignedRequest {
        SignedRequest(
            signature: signature, verb: "GET", host: "10.1.2.3:8773", path: "/services/Cloud",
            parameters: parameters.merging(["SignatureVersion": version]) { $1 }, headers: [:], bodyHash: "")
    }

    private static let moment = "2012-02-27T11:41:47Z"

    static let requests: [SignedRequest] = [
        query("0", ["Action": "Test", "Timestamp": moment], "yV1jvYbenqBw25US+9C9gnnQ+AI="),
        query(
            "1", ["action": "b", "AWSAccessKeyId": "k", "Timestamp": moment, "Zeta": "~ä x/y"], "DlX6HTJiozeLKpuk+Dy653VJCV8="),
        query(
            "2", ["AWSAccessKeyId": "k", "Timestamp": moment, "Name.1": "a b*c'd(e)~ä/&=+"],
            "e+GWCkorqR+6+Fd6CkiB/dQ/Jw8vq7W3OB+5fnoQfSQ="),
        SignedRequest(
            signature: "e03bf61133177d62ab57fc65510a5d9317b711b0de40fe4e61e539854536ecaf", verb: "GET", host: "iam.test", path: "/",
            parameters: ["Version": "2010-05-08", "Action": "ListUsers", "Filter": "a/b c~*"],
            headers: [
                "Content-type": " application/x-www-form-urlencoded; charset=utf-8 ", "X-Amz-Date": "20110909T233600Z",
                "Host": "iam.test:8080",
                "Authorization": "AWS4-HMAC-SHA256 Credential=AK/20110909/us-east-1/iam/aws4_request, "
                    + "SignedHeaders=content-type;host;x-amz-date, Signature=x",
            ], bodyHash: "b6359072c78d70ebee1e81adcbab4f01bf2c23245fa365ef83fe8f1f955085e2"),
        SignedRequest(
            signature: "2f8c391cb21e0a5b0b8cae0cdf7a0a2906da9b9599a05a11d5279dc34718ed9a", verb: "GET", host: "iam.test", path: "/x",
            parameters: [
                "X-Amz-Algorithm": "AWS4-HMAC-SHA256", "X-Amz-Credential": "AK/20110909/us-east-1/iam/aws4_request",
                "X-Amz-Date": "20110909T233600Z", "X-Amz-SignedHeaders": "host",
            ], headers: ["Host": "iam.test"], bodyHash: "e3b0"),
    ]

    @Test(arguments: requests.indices)
    func signaturesOfTheReferenceClientAreAccepted(number: Int) {
        let request = Self.requests[number]
        #expect(request.isSigned(with: Self.secret))
        #expect(!request.isSigned(with: Secret("other")))
        #expect(request.signedAt == Timestamp(iso8601: number < 3 ? Self.moment : "2011-09-09T23:36:00Z"))
    }
}
