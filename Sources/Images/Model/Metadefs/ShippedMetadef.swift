import CloudCore

/// A namespace of metadata definitions that comes with the cloud. Its names, types and allowed words are OpenStack's,
/// because clients look for them. The descriptions are our own.
struct ShippedMetadef: Sendable {
    let name: String
    let title: String
    let summary: String
    let associations: [Association]
    var properties: [Property] = []
    var objects: [Object] = []

    init(
        _ name: String, _ title: String, _ summary: String, for associations: [Association] = [], _ properties: [Property] = [],
        objects: [Object] = []
    ) {
        self.name = name
        self.title = title
        self.summary = summary
        self.associations = associations
        self.properties = properties
        self.objects = objects
    }

    /// A type of resource that the properties are for.
    struct Association: Sendable {
        let type: String
        let prefix: String?
        let target: String?

        static func image(_ prefix: String? = nil) -> Self { Self(type: "OS::Glance::Image", prefix: prefix, target: nil) }
        /// Returns the association with volumes that are made from an image.
        static func volume(_ prefix: String? = nil) -> Self { Self(type: "OS::Cinder::Volume", prefix: prefix, target: "image") }
        static func flavor(_ prefix: String? = nil) -> Self { Self(type: "OS::Nova::Flavor", prefix: prefix, target: nil) }
        static let server = Self(type: "OS::Nova::Server", prefix: nil, target: "metadata")
        /// The association with the scheduler hints of a request for a server.
        static let hints = Self(type: "OS::Nova::Server", prefix: nil, target: "scheduler_hints")
        static let aggregate = Self(type: "OS::Nova::Aggregate", prefix: nil, target: nil)

        /// The associations of properties that describe hardware: flavors have a prefix with a colon, images and
        /// volumes one with an underscore.
        static let hardware = [image("hw_"), volume("hw_"), flavor("hw:")]
    }

    /// A group of properties that belong together.
    struct Object: Sendable {
        let name: String
        let summary: String
        let properties: [Property]

        init(_ name: String, _ summary: String, _ properties: [Property]) {
            self.name = name
            self.summary = summary
            self.properties = properties
        }
    }

    struct Property: Sendable {
        let name: String
        let title: String
        let summary: String
        let type: String
        /// Further terms of JSON Schema, such as bounds.
        var more: JSONObject = [:]

        static func text(_ name: String, _ title: String, _ summary: String, _ more: JSONObject = [:]) -> Self {
            Self(name: name, title: title, summary: summary, type: "string", more: more)
        }

        /// Returns a property whose value is one of several words.
        static func word(_ name: String, _ title: String, _ summary: String, _ words: [String], _ more: JSONObject = [:]) -> Self {
            var more = more
            more["enum"] = .array(words.map(JSON.string))
            return Self(name: name, title: title, summary: summary, type: "string", more: more)
        }

        static func truth(_ name: String, _ title: String, _ summary: String) -> Self {
            Self(name: name, title: title, summary: summary, type: "boolean")
        }

        static func count(_ name: String, _ title: String, _ summary: String, _ more: JSONObject = [:]) -> Self {
            Self(name: name, title: title, summary: summary, type: "integer", more: more)
        }

        static func number(_ name: String, _ title: String, _ summary: String) -> Self {
            Self(name: name, title: title, summary: summary, type: "number")
        }

        var definition: JSONObject {
            var definition: JSONObject = ["title": .string(title), "description": .string(summary), "type": .string(type)]
            for (key, value) in more.members { definition[key] = value }
            return definition
        }
    }

    /// The namespace as a body of the API.
    var body: JSONObject {
        var body: JSONObject = [
            "namespace": .string(name), "display_name": .string(title), "description": .string(summary), "visibility": "public",
            "protected": true,
        ]
        body["resource_type_associations"] = .array(
            associations.map { association in
                var object: JSONObject = ["name": .string(association.type)]
                if let prefix = association.prefix { object["prefix"] = .string(prefix) }
                if let target = association.target { object["properties_target"] = .string(target) }
                return .object(object)
            })
        body["properties"] = Self.definitions(properties)
        body["objects"] = .array(
            objects.map { ["name": .string($0.name), "description": .string($0.summary), "properties": Self.definitions($0.properties)] })
        return body
    }

    private static func definitions(_ properties: [Property]) -> JSON {
        .object(JSONObject(properties.map { ($0.name, .object($0.definition)) }))
    }

    /// All namespaces that come with the cloud.
    static let all = hardware + images + software + [placement]
}
