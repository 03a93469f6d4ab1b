import Drivers
import Foundation
import HostModel
import Testing

@Suite("Files of /proc")
struct KernelFileTests {
    @Test("A file of /proc is read whole, and a missing one is nil")
    func reading() throws {
        #expect(KernelFile.text("/proc/self/stat")?.hasPrefix("\(getpid()) (") == true)
        // This process has no POSIX timers, and some kernels lack the file.
        #expect(KernelFile.bytes("/proc/self/timers") ?? [] == [])
        #expect(try #require(KernelFile.bytes("/proc/self/maps")).count > 4096)
        #expect(KernelFile.text("/proc/no such file") == nil)
        #expect(KernelFile.text("/proc/self") == nil)
    }
}
