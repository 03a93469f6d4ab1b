import CloudCore
import Foundation
import TestSupport
import Testing

@testable import AgentCore
@testable import ControlPlane
@testable import Drivers
@testable import Durable
@testable import HostModel

/// Tests with values that another release has written, or that a peer of another release sends.
@Suite("Values of another release") struct ToleranceTests {
    @Test("Members that a newer release has added are ignored", arguments: StoredShapes.values.map { Stored($0) })
    func newer(_ stored: Stored) throws { try stored.reads(StoredShapes.now.get()) }

    @Test("Inputs and states of workflows can be read by their outlines", arguments: Cloud.workflowTypes.map { StoredWorkflow($0) })
    func workflows(_ workflow: StoredWorkflow) throws { try workflow.reads(StoredShapes.now.get()) }

    @Test(
        "An unknown case is an error with a code, not a crash",
        arguments: [
            #"{"dance": {}}"#, "{}", #""remove""#, "[]", #"{"power": {"_0": {"dancing": {}}}}"#,
            #"{"reboot": {"_0": "sideways"}}"#, #"{"unpack": {}}"#,
        ])
    func unknown(_ verb: String) {
        let text = #"{"fence":{"epoch":1,"generation":1},"id":"r","machine":"m","verb":\#(verb)}"#
        do {
            let request = try StoredJSON.value(AgentRequest.self, from: text)
            Issue.record("read as \(request)")
        } catch {
            #expect(error.kind == .internalError && error.code == StoredJSON.unreadableCode && !error.isTransient)
            #expect(error.detail?.contains(AgentRequest.storedName) == true)
        }
    }

    @Test("A text that is not JSON is an error with a code", arguments: ["", "{", "nil", "\u{0}", #"{"id": 1e999}"#])
    func noJSON(_ text: String) {
        let error = #expect(throws: CloudError.self) { try StoredJSON.value(AgentReply.self, from: text) }
        #expect(error?.code == StoredJSON.unreadableCode)
    }
}

/// Ids have a kind in Swift, and none in what is stored.
@Suite("Stored ids") struct StoredIDTests {
    private struct Sample: StoredValue, Equatable {
        static let storedName = "test.ids"

        var port: ID<Kind.Port>
        var server: ID<Kind.Server>?
        var amounts: [ID<Kind.Provider>: [String: Int64]]
    }

    @Test("An id is stored as its text, a dictionary by ids as an object, as in releases that had texts there")
    func texts() throws {
        let text = #"{"amounts":{"one":{"VCPU":2},"two":{}},"port":"p"}"#
        let sample = Sample(port: "p", amounts: ["one": ["VCPU": 2], "two": [:]])
        #expect(try StoredJSON.text(sample) == text)
        #expect(try StoredJSON.value(Sample.self, from: text) == sample)
    }

    @Test("A machine's specification, a card and a port speak of one id")
    func card() {
        let id: ID<Kind.Port> = "44444444-4444-4444-8444-444444444444"
        let port = ServerPort(id: id, network: "n", networkName: "n", mac: "FA:16:3E:00:00:01")
        #expect(port.card == NIC(id: id.text, mac: "fa:16:3e:00:00:01", tap: "tap44444444-44"))
    }
}

/// A type of the list as an argument of a test.
struct Stored: CustomTestStringConvertible, Sendable {
    let testDescription: String
    /// Reads the examples of the type's outline.
    let reads: @Sendable (StoredOutlines) throws -> Void

    init<Value: StoredValue>(_ type: Value.Type) {
        testDescription = Value.storedName
        reads = { try Self.read(Value.self, $0.all[Value.storedName]?.shapes["value"], $0) }
    }

    /// Reads each example of a shape, with and without unknown members, and checks that both give the same value.
    static func read<Value: StoredValue>(_ type: Value.Type, _ shape: Shape?, _ outlines: StoredOutlines) throws {
        let shape = try #require(shape)
        let plain = ShapeExamples(outlines, hasMore: false).all(of: shape)
        let newer = ShapeExamples(outlines, hasMore: true).all(of: shape)
        #expect(plain.count == newer.count && !plain.isEmpty)
        for (one, other) in zip(plain, newer) {
            let value = try StoredJSON.value(type, from: one.text)
            #expect(try StoredJSON.text(try StoredJSON.value(type, from: other.text)) == StoredJSON.text(value), "\(other.text)")
        }
    }
}

/// A workflow, as an argument of a test.
struct StoredWorkflow: CustomTestStringConvertible, Sendable {
    let workflow: any Workflow.Type

    init(_ workflow: any Workflow.Type) { self.workflow = workflow }
    var testDescription: String { "\(workflow.kind) version \(workflow.version)" }

    func reads(_ outlines: StoredOutlines) throws { try Self.read(workflow, outlines) }

    private static func read<W: Workflow>(_ workflow: W.Type, _ outlines: StoredOutlines) throws {
        let outline = try #require(outlines.all["workflow.\(W.kind).\(W.version)"])
        try Stored.read(InRow<W, W.Input>.self, outline.shapes["input"], outlines)
        try Stored.read(InRow<W, W.State>.self, outline.shapes["state"], outlines)
    }
}
