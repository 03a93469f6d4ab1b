import CloudCore
import Testing

@testable import Compute

@Suite("Extra specs")
struct ExtraSpecsTests {
    private func refusal(_ name: String, _ value: String) -> String? {
        do {
            try ExtraSpecs.check(name, value)
            return nil
        } catch {
            return (error as? CloudError)?.message ?? "\(error)"
        }
    }

    @Test(
        "A value that its extra spec can have is accepted",
        arguments: [
            ("hw:cpu_policy", "dedicated"), ("hw:cpu_cores", "1"), ("hw:boot_menu", "yes"),
            ("hw:cpu_realtime_mask", "^0-1,3"),
            ("hw:cpu_dedicated_mask", "all"), ("hw:mem_page_size", "large"), ("hw:mem_page_size", "2048"),
            ("hw:mem_page_size", "1GiB"), ("hw:numa_cpus.0", "0-3,^2"), ("hw:numa_mem.12", "512"),
            ("pci_passthrough:alias", "gpu:1, nic:2"), ("quota:cpu_quota", "-1"), ("hw:max_phys_bits", "64"),
            ("capabilities:cpu_info:arch", "x86_64"), ("aggregate_instance_extra_specs:ssd", "true"),
            ("resources:VCPU", "4"), ("resources_GPU:CUSTOM_GPU", "1"), ("trait:HW_CPU_X86_AVX", "required"),
            ("trait1:CUSTOM_FAST", "forbidden"), ("mine", "anything"), ("my_space:name", "anything"),
        ])
    func accepted(name: String, value: String) { #expect(refusal(name, value) == nil) }

    @Test(
        "A value that its extra spec cannot have is refused, and the message says what was expected",
        arguments: [
            ("hw:cpu_policy", "none", "'none' is not one of: shared, dedicated, mixed."),
            ("hw:cpu_cores", "0", "'0' is less than the min value of '1'."),
            ("hw:max_phys_bits", "65", "'65' is greater than the max value of '64'."),
            ("hw:cpu_cores", "many", "'many' is not a valid integer value."),
            ("hw:boot_menu", "maybe", "'maybe' is not a valid boolean-like value."),
            ("hw:cpu_realtime_mask", "1-", #"'1-' is not of the format '(\^)?\d+((-\d+)?(,\^?\d+(-\d+)?)?)*'."#),
            ("pci_passthrough:alias", "gpu", #"'gpu' is not of the format '[^:]+:\d+(?:\s*,\s*[^:]+:\d+)*'."#),
            ("trait:CUSTOM_FAST", "wanted", "'wanted' is not one of: required, forbidden."),
            ("hw:unknown", "1", "extra spec 'hw:unknown' does not appear to be a valid extra spec."),
            ("hw:numa_cpus.x", "1", "extra spec 'hw:numa_cpus.x' does not appear to be a valid extra spec."),
            ("resources:vcpu", "1", "extra spec 'resources:vcpu' does not appear to be a valid extra spec."),
        ])
    func refused(name: String, value: String, message: String) {
        #expect(refusal(name, value) == "Validation failed; " + message)
    }
}
