import CloudCore
import HostModel
import TestSupport
import Testing

@testable import Compute

@Suite("Sightings of power")
struct PowerSightingTests {
    private func server(_ state: VMState) -> Server {
        var server = ServerStage.server(.test())
        server.state = state
        server.power = [.stopped, .suspended].contains(state) ? .off : state == .paused ? .paused : .running
        return server
    }

    @Test("A guest that stops, crashes, pauses or runs by itself is shown so")
    func changes() throws {
        var taken = try #require(server(.active).taking(.off))
        #expect(taken.state == .stopped && taken.power == .off)
        taken = try #require(server(.active).taking(.crashed))
        #expect(taken.state == .stopped && taken.power == .crashed)
        taken = try #require(server(.active).taking(.paused))
        #expect(taken.state == .paused && taken.power == .paused)
        taken = try #require(server(.active).taking(.suspended))
        #expect(taken.state == .suspended && taken.power == .off)
        for state in [VMState.stopped, .paused, .suspended] {
            taken = try #require(server(state).taking(.running))
            #expect(taken.state == .active && taken.power == .running)
        }
    }

    @Test("A sighting that says what the row says changes nothing")
    func nothing() {
        #expect(server(.active).taking(.running) == nil)
        #expect(server(.stopped).taking(.off) == nil)
        #expect(server(.paused).taking(.paused) == nil)
        #expect(server(.suspended).taking(.suspended) == nil)
    }

    @Test("A server that is being built or was deleted follows no sighting")
    func building() {
        for state in [VMState.building, .deleted] {
            #expect(server(state).taking(.off) == nil)
            #expect(server(state).taking(.running) == nil)
        }
    }

    @Test("A machine that crashed and is off later stays crashed")
    func crashed() throws {
        let crashed = try #require(server(.active).taking(.crashed))
        #expect(crashed.taking(.off) == nil)
    }
}
