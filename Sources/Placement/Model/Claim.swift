package import CloudCore

/// What one consumer is to have from now on, instead of all that it had.
package struct Claim: Sendable {
    /// What the caller knows of the consumer's generation.
    package enum Expectation: Sendable {
        /// The caller does not care.
        case anything
        /// Nil for a consumer that must not be there yet.
        case exactly(Int?)
    }

    package struct Part: Sendable {
        package var providerID: ID<Kind.Provider>
        package var resources: [(resourceClass: String, amount: Int64)]
        /// The provider's generation that the caller has seen; nil where it does not care.
        package var generation: Int?

        package init(
            providerID: ID<Kind.Provider>, resources: [(resourceClass: String, amount: Int64)], generation: Int? = nil
        ) {
            self.providerID = providerID
            self.resources = resources
            self.generation = generation
        }
    }

    package var consumerID: ID<Kind.Consumer>
    package var projectID: String
    package var userID: String
    /// `INSTANCE`, `MIGRATION`; nil to leave it as it is.
    package var type: String?
    package var expects: Expectation
    /// Empty to give back everything. A provider stands in one part.
    package var parts: [Part]

    package init(
        consumerID: ID<Kind.Consumer>, projectID: String, userID: String, type: String?, expects: Expectation, parts: [Part]
    ) {
        self.consumerID = consumerID
        self.projectID = projectID
        self.userID = userID
        self.type = type
        self.expects = expects
        self.parts = parts
    }
}

/// Why a claim was not made. Nothing was written then, so the transaction can go on: another provider can be tried.
package enum ClaimRefusal: Error, Sendable, Equatable {
    case unknownClass(String)
    case noProvider(ID<Kind.Provider>)
    case providerChanged(ID<Kind.Provider>, expected: Int, actual: Int)
    /// The generations are nil for a consumer that is not there.
    case consumerChanged(ID<Kind.Consumer>, expected: Int?, actual: Int?)
    /// All that is missing, in the order in which it was asked for; at least one.
    case lacking([Lack])

    /// One class that one provider does not give.
    package struct Lack: Sendable, Equatable, CustomStringConvertible {
        package enum Reason: Sendable, Equatable {
            case noInventory
            /// It gives from `least` to `most` to one consumer, in multiples of `step`.
            case portion(least: Int64, most: Int64, step: Int64)
            /// So much is free, without what the claim's consumers have now.
            case full(free: Int64)
        }

        package let providerID: ID<Kind.Provider>
        package let resourceClass: String
        package let wanted: Int64
        package let reason: Reason

        /// For operators, without the provider.
        package var description: String {
            let what = "\(wanted) of \(resourceClass) wanted"
            return switch reason {
            case .noInventory: "\(what), it has none"
            case .portion(let least, let most, let step): "\(what), it gives \(least) to \(most) in steps of \(step)"
            case .full(let free): "\(what), \(free) free"
            }
        }

        /// How much more it would take; nil where an amount is not the matter.
        package var missing: Int64? {
            switch reason {
            case .noInventory: wanted
            case .portion: nil
            case .full(let free): wanted - free
            }
        }
    }
}

extension ClaimRefusal: CustomStringConvertible {
    /// For operators.
    package var description: String {
        switch self {
        case .unknownClass(let name): "no such resource class: \(name)"
        case .noProvider(let id): "no such provider: \(id)"
        case .providerChanged(let id, let expected, let actual): "provider \(id) has generation \(actual), not \(expected)"
        case .consumerChanged(let id, let expected, let actual):
            "consumer \(id) has generation \(actual.map(String.init) ?? "none"), not \(expected.map(String.init) ?? "none")"
        case .lacking(let lacks): lacks.map { "provider \($0.providerID): \($0)" }.joined(separator: "; ")
        }
    }
}

/// What a consumer has.
package struct ConsumerAllocations: Sendable {
    package let generation: Int
    package let projectID: String
    package let userID: String
    package let type: String?
    package let parts: [Claim.Part]
}
