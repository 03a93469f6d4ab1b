import CloudCore
import HostModel
import TestSupport
import Testing

@testable import BlockStorage

@Suite("Bounds that QoS specs set on machines")
struct QoSRatesTests {
    private static func rates(_ specs: JSONObject, by consumer: String = "front-end", sizeGiB: Int = 10) -> DiskRates? {
        QoSSpecs(id: "q", name: "q", consumer: consumer, specs: specs, createdAt: Timestamp(seconds: 0))
            .rates(sizeGiB: sizeGiB)
    }

    @Test("Specs for machines bound bytes and operations, and specs for the storage bound nothing")
    func plain() throws {
        let specs: JSONObject = [
            "total_iops_sec": "500", "total_iops_sec_max": "800", "read_bytes_sec": "1000", "write_bytes_sec": "2000",
            "write_bytes_sec_max": "3000", "size_iops_sec": "4096", "other": "x",
        ]
        var wanted = DiskRates()
        (wanted.operations, wanted.burstOperations) = (.init(total: 500), .init(total: 800))
        (wanted.bytes, wanted.burstBytes) = (.init(read: 1000, write: 2000), .init(write: 3000))
        wanted.operationBytes = 4096
        #expect(Self.rates(specs) == wanted)
        #expect(Self.rates(specs, by: "both") == wanted)
        #expect(Self.rates(specs, by: "back-end") == nil)
        #expect(Self.rates(["other": "x"]) == nil)
    }

    @Test("A bound for each GiB grows with the volume, between its least and its largest value")
    func bySize() {
        let specs: JSONObject = [
            "total_iops_sec_per_gb": "10", "total_iops_sec_per_gb_min": "50", "total_iops_sec_max": "200",
        ]
        func total(_ sizeGiB: Int) -> Int64? { Self.rates(specs, sizeGiB: sizeGiB)?.operations.total }
        #expect([1, 10, 100].map(total) == [50, 100, 200])
        #expect(Self.rates(specs)?.burstOperations == .init())
        #expect(Self.rates(["read_bytes_sec_per_gb": "9223372036854775807"])?.bytes.read == 1_000_000_000_000_000)
    }

    @Test("What a hypervisor would refuse is no bound")
    func refused() {
        #expect(Self.rates(["total_iops_sec": "many", "read_iops_sec": "0", "write_iops_sec": "-1"]) == nil)
        #expect(Self.rates(["size_iops_sec": "4096"]) == nil)
        #expect(Self.rates(["total_bytes_sec_max": "100"]) == nil)
        let both = Self.rates(["total_bytes_sec": "100", "read_bytes_sec": "10", "total_bytes_sec_max": "90"])
        #expect(both?.bytes == .init(total: 100) && both?.burstBytes == .init())
    }
}
