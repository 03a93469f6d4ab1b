import Access

/// Images' own rules.
enum ImagesPolicy {
    static let defaults: [PolicyDefault] = []
}
