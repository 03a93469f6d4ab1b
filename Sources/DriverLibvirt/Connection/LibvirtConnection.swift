import CLibvirt
import CloudCore
import Dispatch
import Foundation
import HostModel
import NIOPosix
import Synchronization

/// A connection to one libvirt, with the threads that wait for it.
final class LibvirtConnection: Sendable {
    /// The connection as a piece of work gets it. It may be used only on the thread for which it was made.
    struct Calls {
        let library: LibvirtLibrary
        let connection: OpaquePointer

        var functions: clibvirt_functions { library.functions.pointee }

        /// Checks the result of a call to libvirt.
        ///
        /// - Throws: libvirt's error if the result is negative.
        @discardableResult
        func check(_ doing: String, _ result: Int32) throws(CloudError) -> Int32 {
            guard result >= 0 else { throw library.lastError().cloudError(doing) }
            return result
        }

        func check(_ doing: String, _ pointer: OpaquePointer?) throws(CloudError) -> OpaquePointer {
            guard let pointer else { throw library.lastError().cloudError(doing) }
            return pointer
        }

        /// Takes over a text that libvirt allocated; nil if there is none.
        func text(_ allocated: UnsafeMutablePointer<CChar>?) -> String? {
            guard let allocated else { return nil }
            defer { free(allocated) }
            return String(cString: allocated)
        }
    }

    private struct State: @unchecked Sendable {  // A connection may be used from any thread, as libvirt documents.
        var connection: OpaquePointer?
        var isClosed = false
    }

    let library: LibvirtLibrary
    private let uri: String
    private let pool: NIOThreadPool
    private let state = Mutex(State())
    private let news: Unmanaged<LibvirtNews>

    /// Creates a connection, which is opened by the first call.
    ///
    /// - Parameters:
    ///   - threads: the number of calls that may wait for libvirt at the same time.
    ///   - news: the receiver of events, which is called on the thread of the event loop.
    init(_ library: LibvirtLibrary, uri: String, threads: Int, news: LibvirtNews) {
        self.library = library
        self.uri = uri
        // It is never released, because libvirt may call once more while a connection closes.
        self.news = Unmanaged.passRetained(news)
        pool = NIOThreadPool(numberOfThreads: threads)
        pool.start()
    }

    /// Closes the connection and ends the threads. Machines keep running.
    func close() async {
        let connection = state.withLock { state in
            defer { state.connection = nil }
            state.isClosed = true
            return state.connection
        }
        if let connection {
            nonisolated(unsafe) let connection = connection
            let library = library
            try? await pool.runIfActive { _ = library.functions.pointee.virConnectClose(connection) }
        }
        try? await pool.shutdownGracefully()
    }

    /// Does work on a thread that may block. If libvirt does not answer in time, the caller gives the call up; its
    /// thread keeps waiting, which is why there are several.
    ///
    /// - Throws: `unavailable` if the deadline has passed; the errors of the work.
    func run<Value: Sendable>(
        within deadline: Duration = .seconds(120), _ work: @escaping @Sendable (Calls) throws -> Value
    ) async throws -> Value {
        try await detached(within: deadline) { [self] in try work(Calls(library: library, connection: try open())) }
    }

    /// Does the same as `run`, for work that does not need libvirt.
    func detached<Value: Sendable>(within deadline: Duration, _ work: @escaping @Sendable () throws -> Value) async throws -> Value {
        try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Value, any Error>) in
            let once = Once(continuation)
            pool.submit { state in
                let result = Result {
                    guard case .active = state else { throw CancellationError() }
                    return try work()
                }
                once.take()?.resume(with: result)
            }
            DispatchQueue.global().asyncAfter(deadline: .now() + deadline.inSeconds) {
                var late = CloudError(.unavailable, "The hypervisor did not answer.", detail: "not within \(deadline)", code: "hypervisor_late")
                late.isTransient = true
                once.take()?.resume(throwing: late)
            }
        }
    }

    /// Returns the connection, and makes it again if it was lost.
    private func open() throws -> OpaquePointer {
        struct Handle: @unchecked Sendable { let pointer: OpaquePointer }
        return try state.withLock { state throws in
            guard !state.isClosed else { throw CancellationError() }
            if let connection = state.connection {
                if library.functions.pointee.virConnectIsAlive(connection) == 1 { return Handle(pointer: connection) }
                _ = library.functions.pointee.virConnectClose(connection)
                state.connection = nil
            }
            guard let connection = library.functions.pointee.virConnectOpen(uri) else {
                throw library.lastError().cloudError("connect to \(uri)")
            }
            let lifecycle: clibvirt_lifecycle = { uuid, event, detail, opaque in
                guard let uuid, let opaque else { return }
                Unmanaged<LibvirtNews>.fromOpaque(opaque).takeUnretainedValue()
                    .heard(MachineID(String(cString: uuid)), event: event, detail: detail)
            }
            guard clibvirt_listen(library.functions, connection, lifecycle, news.toOpaque()) == 0 else {
                throw library.lastError().cloudError("listen to \(uri)")
            }
            state.connection = connection
            return Handle(pointer: connection)
        }.pointer
    }
}

/// A continuation that only its first taker gets.
private final class Once<Value: Sendable>: Sendable {
    private let waiting: Mutex<CheckedContinuation<Value, any Error>?>

    init(_ waiting: CheckedContinuation<Value, any Error>) { self.waiting = Mutex(waiting) }

    func take() -> CheckedContinuation<Value, any Error>? {
        waiting.withLock { waiting in
            defer { waiting = nil }
            return waiting
        }
    }
}
