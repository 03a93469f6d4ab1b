import Access

/// Images' own rules.
enum ImagesPolicy {
    static let defaults: [PolicyDefault] =
        [PolicyDefault("context_is_admin", "role:admin", "May do everything with images and their definitions.")]
        + MetadefPolicy.defaults
}
