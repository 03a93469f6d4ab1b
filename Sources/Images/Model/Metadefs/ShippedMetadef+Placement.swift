import CloudCore

extension ShippedMetadef {
    /// The hints that this cloud's scheduler uses. The reference has no namespace of this name for them; its dashboard
    /// looks for one.
    static let placement = ShippedMetadef(
        "OS::Compute::ServerPlacement", "Server Placement", "Hints to the scheduler about the host of a new server.", for: [.hints],
        [
            .text("same_host", "Same host", "The ID of a server on whose host the new one should be."),
            .text("different_host", "Different host", "The ID of a server on whose host the new one must not be."),
            .text("group", "Server group", "The ID of the server group whose policy the new server should follow."),
        ])
}
