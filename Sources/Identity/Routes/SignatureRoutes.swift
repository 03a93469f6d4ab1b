import CloudCore
import HTTPKit
import HTTPTypes

/// `/v3/ec2tokens` and `/v3/s3tokens`: what signed a request, as a token.
struct SignatureRoutes: Sendable {
    let signatures: SignatureService

    var all: [Route] {
        [
            .post("/v3/ec2tokens") { call in
                let caller = try await call.caller()
                let (text, verified) = try await signatures.authenticateEC2(call.body.json(), by: caller)
                return .json(headers: [.subjectToken: text, .vary: HTTPField.Name.authToken.rawName], bytes: verified.withCatalog)
            },
            // An object store learns who signed, and gets no token to act as them with.
            .post("/v3/s3tokens") { call in
                let caller = try await call.caller()
                let (_, verified) = try await signatures.authenticateS3(call.body.json(), by: caller)
                return .json(bytes: verified.withCatalog)
            },
        ]
    }
}
