import ArgumentParser
import ControlPlane

struct Hello: ReportingCommand {
    static let configuration = CommandConfiguration(
        abstract: "Make a first server in a running cloud, and all that it needs.",
        discussion: """
            Flavors, an image, an external network whose floating IPs this host reaches, a network with a router, a key pair, a security \
            group, the server `hello` and its floating IP: all through the public API, in the project demo. It waits until the server \
            answers ssh. What is there already stays.

            Example:
              novella hello --state /var/lib/novella --guest .build/guest
            """)

    @ArgumentParser.Option(help: ArgumentHelp("Where the guest's `kernel` and `ramdisk` are.", valueName: "dir"))
    var guest = ".build/guest"

    @Flag(help: "Do not wait for ssh: simulated servers answer none.")
    var noSsh = false

    @OptionGroup var common: CommonOptions

    func work() async throws {
        let directory = try common.load().configuration.stateDirectory
        let cloud = try KnownCloud(in: directory)
        let steps = StepLog()
        let keyFile = directory.path + "/hello.key"
        let first = FirstServer(
            guest: guest, keyFile: keyFile, admin: try await CloudClient(cloud, user: "admin", password: cloud.adminPassword),
            demo: try await CloudClient(cloud, user: "demo", password: cloud.demoPassword), steps: steps)
        let made = try await first.make()
        if !noSsh {
            try await steps.run("ssh answers") {
                try await steps.wait(for: .seconds(180), "ssh at \(made.floatingAddress)") { await SSHBanner.read(made.floatingAddress) }
            }
        }
        Terminal.say(screen(made, cloud, directory, keyFile, steps.elapsed))
    }

    private func screen(_ made: FirstServer.Result, _ cloud: KnownCloud, _ directory: StateDirectory, _ keyFile: String, _ elapsed: String) -> String {
        let ssh = "ssh -i \(keyFile) -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null root@\(made.floatingAddress)"
        return """

              The server `hello` runs, \(elapsed) after it was asked for.

              server         \(made.serverID)
              addresses      \(made.fixedAddress) in the network `private`, \(made.floatingAddress) from this host
              log in         \(noSsh ? "nobody answers: it is simulated" : ssh)
              API            \(cloud.authURL)
              clouds.yaml    \(directory.clouds)   (clouds: novella-admin, novella-demo)

            Try:

              export OS_CLIENT_CONFIG_FILE=\(directory.clouds) OS_CLOUD=novella-demo
              openstack server list
              openstack console log show hello
              openstack server create --flavor nano --image guest --network private --key-name hello --security-group hello second
            """
    }
}
