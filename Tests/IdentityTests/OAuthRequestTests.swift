import CloudCore
import Crypto
import Foundation
import HTTPKit
import HTTPTypes
import TestSupport
import Testing

@testable import Identity

@Suite struct OAuthRequestTests {
    /// The last example of RFC 5849, section 1.2.
    @Test func theSignatureOfTheExampleInTheRFCIsValid() throws {
        let request = try OAuthRequest(
            method: "GET", url: "http://photos.example.net/photos", query: Query("file=vacation.jpg&size=original"), form: .none,
            authorization: """
                OAuth realm="Photos", oauth_consumer_key="dpf43f3p2l4k3l03", oauth_token="nnch734d00sl2jdk", \
                oauth_signature_method="HMAC-SHA1", oauth_timestamp="137131202", oauth_nonce="chapoH", \
                oauth_signature="MdpQcU8iPSUjWoN%2FUDMsK2sui9I%3D"
                """)
        let (consumer, token) = (Array("kd94hf93k423kf44".utf8), Array("pfkkdhi9sl3r4s00".utf8))
        #expect(request.isSigned(consumer: consumer, token: token))
        #expect(!request.isSigned(consumer: token, token: consumer))
        #expect(!request.isSigned(consumer: consumer, token: []))
        #expect(request["oauth_token"] == "nnch734d00sl2jdk")
        #expect(request["realm"] == nil)
    }

    /// The example of section 3.4.1.1, with parameters of the query, the header and the body.
    @Test func theBaseStringEqualsTheOneInTheRFC() throws {
        let parameters = [
            ("b5", "=%3D"), ("a3", "a"), ("c@", ""), ("a2", "r b"), ("oauth_consumer_key", "9djdj82h48djs9d2"),
            ("oauth_token", "kkk9d7dh3k39sjv7"), ("oauth_signature_method", "HMAC-SHA1"), ("oauth_timestamp", "137131201"),
            ("oauth_nonce", "7d8f3e4a"), ("c2", ""), ("a3", "2 q"),
        ]
        #expect(
            OAuthRequest.baseString("post", "HTTP://EXAMPLE.COM:80/request", parameters)
                == "POST&http%3A%2F%2Fexample.com%2Frequest&a2%3Dr%2520b%26a3%3D2%2520q%26a3%3Da%26b5%3D%253D%25253D%26c%2540%3D%26c2%3D"
                + "%26oauth_consumer_key%3D9djdj82h48djs9d2%26oauth_nonce%3D7d8f3e4a%26oauth_signature_method%3DHMAC-SHA1"
                + "%26oauth_timestamp%3D137131201%26oauth_token%3Dkkk9d7dh3k39sjv7")
    }

    @Test(arguments: [
        "", "OAuth", "OAuth oauth_nonce", "OAuth oauth_nonce=\"a\", oauth_nonce=\"b\"", "OAuth oauth_nonce=a", "OAuth oauth_nonce=\"%zz\"",
        "OAuth oauth_consumer_key=\"a\"", "OAuth a=\"", "OAuth =\"\"",
    ]) func anInvalidAuthorizationHeaderIsRefused(header: String) {
        let error = #expect(throws: CloudError.self) {
            try OAuthRequest(method: "POST", url: "http://a/", query: .none, form: .none, authorization: header)
        }
        #expect(error?.kind == (header.hasPrefix("OAuth ") ? .badRequest : .unauthenticated))
    }
}
