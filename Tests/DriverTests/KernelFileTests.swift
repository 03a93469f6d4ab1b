import Drivers
import Foundation
import HostModel
import Testing

@Suite("Files that the kernel makes up")
struct KernelFileTests {
    @Test("What they say is read whole, and nothing is an empty text")
    func reading() throws {
        #expect(KernelFile.text("/proc/self/stat")?.hasPrefix("\(getpid()) (") == true)
        // This process has no timers of POSIX; not every kernel has the file.
        #expect(KernelFile.bytes("/proc/self/timers") ?? [] == [])
        #expect(try #require(KernelFile.bytes("/proc/self/maps")).count > 4096)
        #expect(KernelFile.text("/proc/no such file") == nil)
        #expect(KernelFile.text("/proc/self") == nil)
    }
}
