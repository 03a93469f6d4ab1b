import CloudCore
import HTTPKit
import HTTPTypes

/// The routes `/v3/ec2tokens` and `/v3/s3tokens`, which turn a signed request into a token.
struct SignatureRoutes: Sendable {
    let signatures: SignatureService

    var all: [Route] {
        [
            .post("/v3/ec2tokens") { call in
                let caller = try await call.caller()
                let (text, verified) = try await signatures.authenticateEC2(call.body.json(), by: caller)
                return .json(headers: [.subjectToken: text, .vary: HTTPField.Name.authToken.rawName], bytes: verified.withCatalog)
            },
            // An object store learns the signer's rights, but gets no token to act as the signer.
            .post("/v3/s3tokens") { call in
                let caller = try await call.caller()
                let (_, verified) = try await signatures.authenticateS3(call.body.json(), by: caller)
                return .json(bytes: verified.withCatalog)
            },
        ]
    }
}
