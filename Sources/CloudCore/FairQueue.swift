/// A queue in which every share has its turn. The next element is the oldest of the share that has waited longest for
/// its turn. A share with many waiting elements delays its own, and no other's.
package struct FairQueue<Element> {
    /// The waiting elements of one share. The elements before `head` are gone.
    private struct Line {
        var elements: [Element?] = []
        var head = 0

        var count: Int { elements.count - head }

        mutating func pop() -> Element? {
            guard head < elements.count else { return nil }
            defer {
                head += 1
                // Removing one element at a time from the front would make a long line quadratic.
                if head > 1024 {
                    elements.removeFirst(head)
                    head = 0
                }
            }
            let element = elements[head]
            elements[head] = nil
            return element
        }
    }

    private var lines: [Share: Line] = [:]
    /// The shares with waiting elements, in the order of their turns. The shares before `head` are gone.
    private var turns: [Share] = []
    private var head = 0
    package private(set) var count = 0

    package init() {}

    package var isEmpty: Bool { count == 0 }

    /// Returns the number of waiting elements of a share.
    package func count(of share: Share) -> Int { lines[share]?.count ?? 0 }

    package mutating func push(_ element: Element, for share: Share) {
        if lines[share] == nil {
            lines[share] = Line()
            turns.append(share)
        }
        lines[share]?.elements.append(element)
        count += 1
    }

    /// Returns the next element, with its share.
    ///
    /// - Parameter isFree: whether a share may have its turn now. A share that may not keeps its place.
    package mutating func pop(where isFree: (Share) -> Bool = { _ in true }) -> (element: Element, share: Share)? {
        var at = head
        while at < turns.count, !isFree(turns[at]) { at += 1 }
        guard at < turns.count else { return nil }
        let share = turns[at]
        if at == head { head += 1 } else { turns.remove(at: at) }
        if head > 1024 {
            turns.removeFirst(head)
            head = 0
        }
        guard let element = lines[share]?.pop() else { return nil }
        count -= 1
        if lines[share]?.count == 0 { lines[share] = nil } else { turns.append(share) }
        return (element, share)
    }
}
