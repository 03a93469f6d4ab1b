import CloudCore
import HostModel

/// The facts of all hosts in the natural order of their names, and the order in which something lasting became new.
struct HostRoll: Sendable {
    private var facts: [String: HostFacts] = [:]
    private var order: [(key: NaturalOrder, name: String)] = []
    /// The position at which something lasting of a host last became new.
    private var newAt: [String: Int] = [:]
    private(set) var position = 0

    subscript(name: String) -> HostFacts? { facts[name] }
    var all: [HostFacts] { order.compactMap { facts[$0.name] } }

    mutating func take(_ new: HostFacts) {
        let old = facts.updateValue(new, forKey: new.name)
        if old == nil {
            let key = NaturalOrder(new.name)
            var (low, high) = (0, order.count)
            while low < high {
                let middle = (low + high) / 2
                if order[middle].key < key { low = middle + 1 } else { high = middle }
            }
            order.insert((key, new.name), at: low)
        }
        guard old.map({ $0.id != new.id || !$0.inventory.saysTheSame(as: new.inventory) }) ?? true else { return }
        position += 1
        newAt[new.name] = position
    }

    /// Returns the facts of the hosts of which something lasting is newer than a position.
    func news(since position: Int) -> [HostFacts] {
        if position == self.position { return [] }
        return all.filter { newAt[$0.name, default: 0] > position }
    }
}

extension HostInventory {
    /// Returns whether both are equal in what lasts: machines and free amounts change all the time.
    fileprivate func saysTheSame(as other: HostInventory) -> Bool {
        resources.lasting == other.resources.lasting && capabilities == other.capabilities
            && abilities == other.abilities
    }
}

extension HostResources {
    /// The same resources without the free amounts, which change all the time.
    var lasting: HostResources {
        var lasting = self
        (lasting.freeMemoryMiB, lasting.freeDiskBytes) = (0, 0)
        return lasting
    }
}
