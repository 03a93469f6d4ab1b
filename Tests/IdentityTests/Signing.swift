import CloudCore
import Crypto
import Foundation
import HTTPKit

/// A signer of requests in the way of AWS's clients. It implements the rules a second time, independently of the
/// product.
enum Signing {
    /// Returns the time in the form `20260131T235959Z`.
    static func compact(_ moment: Timestamp) -> String {
        moment.iso8601Seconds.filter { $0 != "-" && $0 != ":" }
    }

    static func hmac256(_ key: [UInt8], _ text: String) -> [UInt8] {
        Array(HMAC<SHA256>.authenticationCode(for: Array(text.utf8), using: SymmetricKey(data: key)))
    }

    static func hmac1(_ key: String, _ text: String) -> String {
        let code = HMAC<Insecure.SHA1>.authenticationCode(for: Array(text.utf8), using: SymmetricKey(data: Array(key.utf8)))
        return Data(Array(code)).base64EncodedString()
    }

    static func zero(_ access: String, _ secret: String, at moment: Timestamp) -> JSON {
        let timestamp = moment.iso8601Seconds
        let parameters: JSON = ["SignatureVersion": "0", "Action": "DescribeInstances", "Timestamp": .string(timestamp), "AWSAccessKeyId": .string(access)]
        return request(access, hmac1(secret, "DescribeInstances\(timestamp)"), parameters)
    }

    static func one(_ access: String, _ secret: String, at moment: Timestamp) -> JSON {
        let timestamp = moment.iso8601Seconds
        let parameters: JSON = ["SignatureVersion": "1", "action": "Go", "Timestamp": .string(timestamp), "AWSAccessKeyId": .string(access)]
        return request(access, hmac1(secret, "actionGoAWSAccessKeyId\(access)SignatureVersion1Timestamp\(timestamp)"), parameters)
    }

    /// Returns a request with a signature of version 2.
    ///
    /// - Parameters:
    ///   - signedHost: the host that the client signed.
    ///   - moment: nil leaves out the timestamp.
    static func two(
        _ access: String, _ secret: String, at moment: Timestamp?, host: String = "cloud", signedHost: String? = nil,
        more: [String: String] = [:]
    ) -> JSON {
        var parameters = ["Action": "Describe Things", "AWSAccessKeyId": access, "SignatureMethod": "HmacSHA256", "SignatureVersion": "2"]
        if let moment { parameters["Timestamp"] = moment.iso8601Seconds }
        parameters.merge(more) { $1 }
        let query = parameters.sorted { $0.key < $1.key }.map { "\(Percent.encode($0.key))=\(Percent.encode($0.value))" }.joined(separator: "&")
        let text = "GET\n\(signedHost ?? host)\n/services/Cloud\n\(query)"
        let signature = Data(hmac256(Array(secret.utf8), text)).base64EncodedString()
        return request(access, signature, .object(JSONObject(parameters.map { ($0.key, .string($0.value)) })), host: host)
    }

    /// Returns a request with a signature of version 4 in the header `Authorization`, or in the query as in a presigned
    /// URL.
    static func four(
        _ access: String, _ secret: String, at moment: Timestamp, inQuery: Bool = false, expires: Int? = nil,
        unsigned: [String: String] = [:], verb: String = "GET"
    ) -> JSON {
        let date = compact(moment)
        let scope = "\(date.prefix(8))/RegionOne/ec2/aws4_request"
        let bodyHash = Hex.text(SHA256.hash(data: [UInt8]()))
        var headers = ["Host": "cloud:8773"]
        var parameters = ["Action": "DescribeInstances"]
        let names: String
        if inQuery {
            parameters["X-Amz-Algorithm"] = "AWS4-HMAC-SHA256"
            parameters["X-Amz-Credential"] = "\(access)/\(scope)"
            parameters["X-Amz-Date"] = date
            parameters["X-Amz-SignedHeaders"] = "host"
            if let expires { parameters["X-Amz-Expires"] = String(expires) }
            names = "host"
        } else {
            headers["X-Amz-Date"] = date
            names = "host;x-amz-date"
        }
        let query = verb == "POST" ? "" : parameters.sorted { $0.key < $1.key }
            .map { "\(Percent.encode($0.key))=\(Percent.encode($0.value))" }.joined(separator: "&")
        let canonicalHeaders = "host:cloud:8773\n" + (inQuery ? "" : "x-amz-date:\(date)\n")
        let canonical = "\(verb)\n/\n\(query)\n\(canonicalHeaders)\n\(names)\n\(bodyHash)"
        let text = "AWS4-HMAC-SHA256\n\(date)\n\(scope)\n\(Hex.text(SHA256.hash(data: Array(canonical.utf8))))"
        var key = Array("AWS4\(secret)".utf8)
        for part in scope.split(separator: "/") { key = hmac256(key, String(part)) }
        let signature = Hex.text(hmac256(key, text))
        if !inQuery {
            headers["Authorization"] = "AWS4-HMAC-SHA256 Credential=\(access)/\(scope),SignedHeaders=\(names),Signature=\(signature)"
        }
        parameters.merge(unsigned) { $1 }
        return [
            "ec2Credentials": [
                "access": .string(access), "signature": .string(signature), "verb": .string(verb), "host": "cloud:8773", "path": "/",
                "params": .object(JSONObject(parameters.map { ($0.key, .string($0.value)) })),
                "headers": .object(JSONObject(headers.map { ($0.key, .string($0.value)) })), "body_hash": .string(bodyHash),
            ]
        ]
    }

    private static func request(_ access: String, _ signature: String, _ parameters: JSON, host: String = "cloud") -> JSON {
        [
            "credentials": [
                "access": .string(access), "signature": .string(signature), "verb": "GET", "host": .string(host),
                "path": "/services/Cloud", "params": parameters, "headers": [:],
            ]
        ]
    }

    // MARK: S3

    /// Returns a request to S3.
    ///
    /// - Parameter date: the value of the header `Date`.
    static func s3(_ access: String, _ secret: String, date: String, more: String = "") -> JSON {
        let text = "GET\n\n\n\(date)\n\(more)/bucket/object"
        return s3(access, text, hmac1(secret, text))
    }

    static func s3Four(_ access: String, _ secret: String, at moment: Timestamp) -> JSON {
        let date = compact(moment)
        let scope = "\(date.prefix(8))/RegionOne/s3/aws4_request"
        let text = "AWS4-HMAC-SHA256\n\(date)\n\(scope)\n\(Hex.text(SHA256.hash(data: Array("request".utf8))))"
        var key = Array("AWS4\(secret)".utf8)
        for part in scope.split(separator: "/") { key = hmac256(key, String(part)) }
        return s3(access, text, Hex.text(hmac256(key, text)))
    }

    private static func s3(_ access: String, _ text: String, _ signature: String) -> JSON {
        let token = Data(text.utf8).base64EncodedString().replacing("+", with: "-").replacing("/", with: "_")
        return ["credentials": ["access": .string(access), "token": .string(token), "signature": .string(signature)]]
    }
}
