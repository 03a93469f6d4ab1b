import Access
import CloudCore
import HTTPKit

/// The table of actions. Beside its row, an action has the form of its body (`ServerActionBodies`), a method of
/// `ServerActionService` and, if it starts one, its workflow.
extension ServerAction {
    static let all = power + guest + contents + sizes + places + shelves + networks + addresses + operators

    // MARK: Power

    private static let power: [ServerAction] = [
        .verb("os-start", "os_compute_api:servers:start", StartVerb.self, "start", from: [.stopped]),
        .verb("os-stop", "os_compute_api:servers:stop", StopVerb.self, "stop", from: [.active, .error]),
        .verb("pause", "os_compute_api:os-pause-server:pause", PauseVerb.self, "pause", from: [.active]),
        .verb("unpause", "os_compute_api:os-pause-server:unpause", UnpauseVerb.self, "unpause", from: [.paused]),
        .verb("suspend", "os_compute_api:os-suspend-server:suspend", SuspendVerb.self, "suspend", from: [.active]),
        .verb("resume", "os_compute_api:os-suspend-server:resume", ResumeVerb.self, "resume", from: [.suspended]),
        ServerAction(
            "reboot", "os_compute_api:servers:reboot",
            .starts(anyOf: [
                .verb(SoftRebootVerb.self, from: [.active]),
                .verb(HardRebootVerb.self, from: [.active, .stopped, .paused, .suspended, .error]),
            ]),
            reads: .form(ServerActionBodies.reboot),
            does: { act, isHard in
                if isHard {
                    try await act.start(CommandServer<HardRebootVerb>.self)
                } else {
                    try await act.start(CommandServer<SoftRebootVerb>.self)
                }
            }),
    ]

    // MARK: The guest

    private static let guest: [ServerAction] = [
        ServerAction(
            "changePassword", "os_compute_api:os-admin-password", .atOnce(from: [.active]),
            reads: .form(ServerActionBodies.password),
            does: { try await $0.actions.setPassword($1, of: $0.id, $0.rule, by: $0.caller) }),
        ServerAction(
            "os-getConsoleOutput", "os_compute_api:os-console-output", .atOnce(),
            reads: .form(ServerActionBodies.console), answers: { try await $0.consoleOutput($1) }),
        ServerAction(
            "trigger_crash_dump", "os_compute_api:servers:trigger_crash_dump",
            .atOnce(from: [.active, .paused, .rescued, .error]), does: { try await $0.refuseCrashDump() }),
    ]

    // MARK: Contents

    /// The states in which a server's disk is copied.
    private static let copied: Set<VMState> = [.active, .stopped, .paused, .suspended]

    private static let contents: [ServerAction] = [
        ServerAction(
            "rebuild", "os_compute_api:servers:rebuild",
            .starts(anyOf: [
                ServerWork(RebuildServer.self, from: [.active, .stopped, .error]),
                ServerWork(ReimageServer.self, from: [.active, .stopped, .error]),
            ]),
            reads: .form(ServerBodies.rebuild), answers: { try await $0.rebuild($1) }),
        ServerAction(
            "createImage", "os_compute_api:servers:create_image",
            .starts(anyOf: [
                ServerWork(
                    SnapshotServer.self, from: copied, event: "compute_snapshot_instance", manner: .keeps).ignoringLock,
                ServerWork(
                    SnapshotServerVolumes.self, from: copied, event: "api_snapshot_instance", manner: .keeps
                ).ignoringLock,
            ]),
            reads: .form(ServerActionBodies.createImage), answers: { try await $0.createImage($1) }),
        ServerAction(
            "createBackup", "os_compute_api:os-create-backup",
            .starts(ServerWork(
                BackupServer.self, from: copied, event: "compute_backup_instance", manner: .keeps).ignoringLock),
            reads: .form(ServerActionBodies.createBackup), answers: { try await $0.createBackup($1) }),
        ServerAction(
            "rescue", "os_compute_api:os-rescue",
            .starts(ServerWork(RescueServer.self, from: [.active, .stopped, .error])),
            reads: .form(ServerActionBodies.rescue), answers: { try await $0.rescue($1) }),
        ServerAction(
            "unrescue", "os_compute_api:os-unrescue",
            .starts(ServerWork(UnrescueServer.self, from: [.rescued])),
            does: { try await $0.start(UnrescueServer.self) }),
        ServerAction(
            "forceDelete", "os_compute_api:os-deferred-delete:force",
            .starts(ServerWork(DeleteServer.self, event: "compute_terminate_instance", listedAs: "delete")),
            does: { try await $0.servers.delete($0.id, $0.policy, by: $0.caller) }),
        ServerAction(
            "restore", "os_compute_api:os-deferred-delete:restore", .atOnce(), does: { try await $0.restore() }),
    ]

    // MARK: Sizes

    private static let sizes: [ServerAction] = [
        ServerAction(
            "resize", "os_compute_api:servers:resize",
            .starts(ServerWork(ResizeServer.self, from: [.active, .stopped])),
            reads: .form(ServerActionBodies.resize),
            does: {
                try await $0.actions.resize($0.id, to: $1.flavorID, resizesDisk: $1.resizesDisk, by: $0.caller)
            }),
        ServerAction(
            "confirmResize", "os_compute_api:servers:confirm_resize",
            .starts(ServerWork(ConfirmResize.self, from: [.resized], event: "compute_confirm_resize")),
            answer: .noContent, does: { try await $0.start(ConfirmResize.self) }),
        ServerAction(
            "revertResize", "os_compute_api:servers:revert_resize",
            .starts(ServerWork(RevertResize.self, from: [.resized], event: "compute_revert_resize")),
            does: { try await $0.start(RevertResize.self) }),
    ]

    // MARK: Other hosts

    private static let hostsSince = 56

    private static let places: [ServerAction] = [
        ServerAction(
            "migrate", "os_compute_api:os-migrate-server:migrate", for: .managers,
            .starts(ServerWork(MigrateServer.self, from: [.active, .stopped], event: "compute_resize_instance")),
            reads: .form(ServerActionBodies.migrate, since: hostsSince),
            does: { try await $0.actions.migrate($0.id, to: $1?.host, by: $0.caller) }),
        ServerAction(
            "os-migrateLive", "os_compute_api:os-migrate-server:migrate_live", for: .managers,
            .starts(ServerWork(
                MoveRunningServer.self, from: [.active, .paused], event: "compute_live_migration",
                listedAs: "live-migration")),
            reads: .form(ServerActionBodies.migrateLive), does: { try await $0.migrateLive($1) }),
        ServerAction(
            "evacuate", "os_compute_api:os-evacuate", for: .administrators,
            .starts(ServerWork(
                EvacuateServer.self, from: [.active, .stopped, .error], event: "compute_rebuild_instance"
            ).ignoringLock),
            reads: .form(ServerActionBodies.evacuate), answers: { try await $0.evacuate($1) }),
    ]

    // MARK: Shelves

    private static let zonesSince = 77

    private static let shelves: [ServerAction] = [
        ServerAction(
            "shelve", "os_compute_api:os-shelve:shelve",
            .starts(anyOf: [
                ServerWork(ShelveServer.self, from: copied),
                ServerWork(
                    ShelveServerWithVolumes.self, from: copied, event: "compute_shelve_offload_instance"),
            ]),
            does: { try await $0.actions.shelve($0.id, by: $0.caller) }),
        ServerAction(
            "shelveOffload", "os_compute_api:os-shelve:shelve_offload", for: .administrators,
            .starts(ServerWork(OffloadServer.self, from: [.shelved], event: "compute_shelve_offload_instance")),
            does: { try await $0.start(OffloadServer.self) }),
        ServerAction(
            "unshelve", "os_compute_api:os-shelve:unshelve",
            .starts(ServerWork(UnshelveServer.self, from: [.shelved, .shelvedOffloaded])),
            reads: .form(ServerActionBodies.unshelve, since: zonesSince),
            does: {
                try await $0.actions.unshelve($0.id, zone: $1?.zone ?? .keep, host: $1?.host, by: $0.caller)
            }),
    ]

    // MARK: Networks

    private static let networks: [ServerAction] = [
        ServerAction(
            "addSecurityGroup", "os_compute_api:os-security-groups:add", .atOnce(),
            reads: .form(ServerActionBodies.securityGroup),
            does: { try await $0.actions.addSecurityGroup($1, to: $0.id, $0.policy, by: $0.caller) }),
        ServerAction(
            "removeSecurityGroup", "os_compute_api:os-security-groups:remove", .atOnce(),
            reads: .form(ServerActionBodies.securityGroup),
            does: { try await $0.actions.removeSecurityGroup($1, from: $0.id, $0.policy, by: $0.caller) }),
        // The networks of hosts follow the rows by themselves, so these actions change nothing.
        ServerAction(
            "resetNetwork", "os_compute_api:os-admin-actions:inject_network_info", for: .administrators, .atOnce(),
            does: { _ = try await $0.view() }),
        ServerAction(
            "injectNetworkInfo", "os_compute_api:os-admin-actions:inject_network_info", for: .administrators, .atOnce(),
            does: { _ = try await $0.view() }),
    ]

    private static let addresses = [
        ServerAction(
            "addFixedIp", "os_compute_api:os-multinic:add", .atOnce(), reads: .form(ServerAddressActions.network),
            does: { try await ServerAddressActions($0).addFixed(network: $1) }),
        ServerAction(
            "removeFixedIp", "os_compute_api:os-multinic:remove", .atOnce(), reads: .form(ServerAddressActions.address),
            does: { try await ServerAddressActions($0).removeFixed($1) }),
        ServerAction(
            "addFloatingIp", "os_compute_api:os-floating-ips:add", .atOnce(),
            reads: .form(ServerAddressActions.floating),
            does: { try await ServerAddressActions($0).addFloating($1) }),
        ServerAction(
            "removeFloatingIp", "os_compute_api:os-floating-ips:remove", .atOnce(),
            reads: .form(ServerAddressActions.address),
            does: { try await ServerAddressActions($0).removeFloating($1) }),
    ].map { $0.until(OtherAPIs.lastForAddresses) }

    // MARK: Locks and states

    private static let reasonsSince = 73

    private static let operators: [ServerAction] = [
        ServerAction(
            "lock", "os_compute_api:os-lock-server:lock", .atOnce(),
            reads: .form(ServerActionBodies.lock, since: reasonsSince),
            does: { try await $0.actions.lock($0.id, $0.policy, reason: $1?.reason, by: $0.caller) }),
        ServerAction(
            "unlock", "os_compute_api:os-lock-server:unlock", .atOnce(),
            does: { try await $0.actions.unlock($0.id, $0.policy, by: $0.caller) }),
        ServerAction(
            "os-resetState", "os_compute_api:os-admin-actions:reset_state", for: .administrators, .atOnce(),
            reads: .form(ServerActionBodies.state),
            does: { try await $0.actions.reset($0.id, $0.policy, to: $1, by: $0.caller) }),
    ]
}
