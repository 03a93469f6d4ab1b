import CloudCore
import HTTPKit
import HTTPTypes
import Testing

@Suite("Microversions")
struct MicroversionTests {
    private static let older = HTTPField.Name("X-OpenStack-Nova-API-Version")!
    private let range = MicroversionRange(serviceType: "compute", Microversion(2, 1)...Microversion(2, 104), olderHeader: older)

    private func asked(_ value: String?, older: String? = nil) throws -> String {
        var headers: HTTPFields = [:]
        headers[.apiVersion] = value
        headers[Self.older] = older
        return try range.requested(by: headers).description
    }

    @Test("No header means the lowest version, latest the highest, and another service's header is ignored")
    func choice() throws {
        #expect(try asked(nil) == "2.1")
        #expect(try asked("compute latest") == "2.104")
        #expect(try asked("Compute 2.90") == "2.90")
        #expect(try asked("volume 3.50, compute 2.60") == "2.60")
        #expect(try asked("volume 3.50") == "2.1")
        #expect(try asked(nil, older: "2.53") == "2.53")
        #expect(try asked("compute 2.90", older: "2.53") == "2.90")
    }

    @Test("A version outside the range is a 406, and a text that is not a version is a 400")
    func refusals() {
        for text in ["compute 2.105", "compute 1.9", "compute 3.0"] {
            #expect { try asked(text) } throws: { ($0 as? CloudError)?.kind == .notAcceptable }
        }
        for text in ["compute 2", "compute 2.x", "compute 2.01", "compute -2.1", "compute 2.1.1", "compute 2.123456789"] {
            #expect { try asked(text) } throws: { ($0 as? CloudError)?.kind == .badRequest }
        }
    }
}
