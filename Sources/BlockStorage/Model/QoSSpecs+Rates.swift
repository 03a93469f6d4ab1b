import CloudCore
import HostModel

extension QoSSpecs {
    /// The largest number that a hypervisor takes for a bound.
    private static let largest: Int64 = 1_000_000_000_000_000  // tidy: allow bound, of QEMU

    /// Returns the bounds on a machine's use of a volume; nil if the specs bound nothing on the machine's side.
    ///
    /// A value that is no number is no bound, and neither is one that a hypervisor would refuse: a bound on reads or
    /// writes beside one on both, or a burst that is lower than the bound itself.
    func rates(sizeGiB: Int) -> DiskRates? {
        guard consumer == "front-end" || consumer == "both" else { return nil }
        var rates = DiskRates()
        (rates.bytes, rates.burstBytes) = bounds("bytes_sec", sizeGiB)
        (rates.operations, rates.burstOperations) = bounds("iops_sec", sizeGiB)
        if rates.operations != .init() { rates.operationBytes = number("size_iops_sec") }
        return rates == DiskRates() ? nil : rates
    }

    private typealias Bound = DiskRates.Bound

    private func bounds(_ unit: String, _ sizeGiB: Int) -> (bound: Bound, burst: Bound) {
        let (total, read, write) = (
            pair("total_\(unit)", sizeGiB), pair("read_\(unit)", sizeGiB), pair("write_\(unit)", sizeGiB)
        )
        guard total.bound == nil else { return (Bound(total: total.bound), Bound(total: total.burst)) }
        return (Bound(read: read.bound, write: write.bound), Bound(read: read.burst, write: write.burst))
    }

    /// Returns a bound and its burst. A bound by the volume's size takes the place of a plain one; its least and its
    /// largest value have names of their own.
    private func pair(_ name: String, _ sizeGiB: Int) -> (bound: Int64?, burst: Int64?) {
        let most = number("\(name)_max")
        if let each = number("\(name)_per_gb") {
            let (product, isOver) = each.multipliedReportingOverflow(by: Int64(sizeGiB))
            let value = max(isOver ? Self.largest : min(product, Self.largest), number("\(name)_per_gb_min") ?? 0)
            return (most.map { min($0, value) } ?? value, nil)
        }
        guard let bound = number(name) else { return (nil, nil) }
        return (bound, most.flatMap { $0 >= bound ? $0 : nil })
    }

    /// Returns the number of a spec; nil if there is none, or if it bounds nothing.
    private func number(_ name: String) -> Int64? {
        let given = specs[name]
        guard let value = given?.integer ?? given?.string.flatMap({ Int64($0.trimmed) }), value > 0 else { return nil }
        return min(value, Self.largest)
    }
}
