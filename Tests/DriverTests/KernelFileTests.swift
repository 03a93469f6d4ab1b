import Drivers
import Foundation
import Testing

@Suite("Files that the kernel makes up")
struct KernelFileTests {
    @Test("What they say is read whole, and nothing is an empty text")
    func reading() throws {
        #expect(KernelFile.text("/proc/self/stat")?.hasPrefix("\(getpid()) (") == true)
        // The second process has no command line: it is the kernel's own, or not there.
        #expect(KernelFile.bytes("/proc/2/cmdline") ?? [] == [])
        #expect(try #require(KernelFile.bytes("/proc/self/maps")).count > 4096)
        #expect(KernelFile.text("/proc/no such file") == nil)
        #expect(KernelFile.text("/proc/self") == nil)
    }
}
