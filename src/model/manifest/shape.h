// SPDX-License-Identifier: Apache-2.0
// Shapes: tables that say which keys an object of a manifest has. Reading, "did you mean", JSON
// Schema, the defaults that `plan` shows and the reference pages all come from these tables.
//
// A default is written in the table as a user would write it, and is read by the same reader when
// the key is absent: what the table says is what happens.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/check.h"
#include "model/manifest/value.h"

namespace showcaller::manifest {

struct ShapeInfo;

struct FieldInfo {
  std::string key;
  std::string says;                       // what it means, a sentence
  std::string expected;                   // "a duration such as 10m"
  std::optional<std::string> by_default;  // as it would be written; absent: nothing is assumed
  std::string derived;                    // in words, where the default depends on other keys
  bool required = false;
  std::string or_key;                // of a required one: another key that can bring it
  const ShapeInfo* child = nullptr;  // for an object, or the items of a list
  bool child_is_list = false;
  bool child_always = false;  // absent, the object is there with its defaults
  std::function<json::object(SchemaSet&)> schema;
};

struct ShapeInfo {
  std::string name;
  std::string says;
  virtual ~ShapeInfo() = default;
  virtual std::vector<const FieldInfo*> infos() const = 0;
};

template <class S>
struct Field : FieldInfo {
  std::function<bool(Reader&, Node&, S*)> read;
  std::function<void(S*)> reset;      // puts the defaults of an object into S
  std::shared_ptr<const void> owned;  // a section's shape

  Field&& needed() && {
    this->required = true;
    return std::move(*this);
  }
  // Needed in the end, but the thing that `other` names may bring it.
  Field&& needed_or(std::string other) && {
    this->required = true;
    this->or_key = std::move(other);
    return std::move(*this);
  }
  Field&& assumed(std::string text) && {
    this->by_default = std::move(text);
    return std::move(*this);
  }
  Field&& derived_as(std::string words) && {
    this->derived = std::move(words);
    return std::move(*this);
  }
};

// The node a default's text stands for: a plain scalar, or a flow list or mapping in JSON.
Node default_node(const std::string& text);
// Adds the definition of the shape once and refers to it.
json::object reference_schema(const ShapeInfo& shape, SchemaSet& set);
// The key that was likely meant is left open: that it is missing is no second mistake.
void report_unknown_key(Reader& reader, const Node& node, const Entry& entry,
                        const ShapeInfo& shape);

template <class S>
class Shape : public ShapeInfo {
 public:
  // `finish` checks what concerns several keys and fills in what is derived; it sees the node to
  // know what was written.
  using Finish = std::function<void(Reader&, const Node&, S*)>;

  Shape(std::string shape_name, std::string meaning, std::vector<Field<S>> fields,
        Finish finish = {})
      : fields_(std::move(fields)), finish_(std::move(finish)) {
    name = std::move(shape_name);
    says = std::move(meaning);
    apply_defaults(&prototype_);
  }

  const S& prototype() const { return prototype_; }

  void apply_defaults(S* out) const {
    std::vector<Finding> findings;
    Reader reader({}, &findings);
    for (const Field<S>& field : fields_) {
      if (field.by_default) {
        Node node = default_node(*field.by_default);
        const bool read = field.read(reader, node, out);
        CHECK(read && findings.empty());  // A table's default is one of its own values.
      } else if (field.reset) {
        field.reset(out);
      }
    }
  }

  // Reads over what `out` holds already.
  bool read_into(Reader& reader, Node& node, S* out) const {
    if (reader.is_placeholder(node)) return false;
    if (!node.is_mapping()) {
      reader.wrong_type(node, "a mapping", "");
      return false;
    }
    for (Entry& entry : node.entries) {
      const Field<S>* field = find(entry.key);
      if (field == nullptr) {
        // A key that another version knew was accepted, and what it did is in the records.
        if (!reader.trusted) report_unknown_key(reader, node, entry, *this);
        continue;
      }
      const Reader::Inside inside(&reader, entry.key);
      if (!reader.is_placeholder(entry.value)) field->read(reader, entry.value, out);
    }
    if (reader.in_template) return true;  // Parameters may bring what is missing.
    if (reader.trusted) {
      if (finish_) finish_(reader, node, out);
      return true;
    }
    for (const Field<S>& field : fields_) {
      if (!field.required || node.entry(field.key) != nullptr) continue;
      if (reader.is_wrong_below(field.key)) continue;  // Misspelt, and told so.
      const Reader::Inside inside(&reader, field.key);
      reader.error(node.position, fmt::format("the key '{}' is missing", field.key),
                   fmt::format("add `{}:` ({})", field.key, field.expected));
    }
    if (finish_) finish_(reader, node, out);
    return true;
  }

  bool read(Reader& reader, Node& node, S* out) const {
    *out = prototype_;
    return read_into(reader, node, out);
  }

  std::vector<const FieldInfo*> infos() const override {
    std::vector<const FieldInfo*> out;
    for (const Field<S>& field : fields_) out.push_back(&field);
    return out;
  }

 private:
  const Field<S>* find(std::string_view key) const {
    for (const Field<S>& field : fields_) {
      if (field.key == key) return &field;
    }
    return nullptr;
  }

  std::vector<Field<S>> fields_;
  Finish finish_;
  S prototype_{};
};

// A key that fills a member.
template <class S, class M, class V>
Field<S> field(std::string key, M S::* member, Value<V> value, std::string says) {
  Field<S> out;
  out.key = std::move(key);
  out.says = std::move(says);
  out.expected = value.expected;
  out.schema = value.schema;
  out.read = [member, read = std::move(value.read)](Reader& reader, Node& node, S* s) {
    V v{};
    if (!read(reader, node, &v)) return false;
    s->*member = std::move(v);
    return true;
  };
  return out;
}

// A key whose value is put in place by `set`.
template <class S, class V>
Field<S> field_with(std::string key, Value<V> value, std::function<void(S*, V)> set,
                    std::string says) {
  Field<S> out;
  out.key = std::move(key);
  out.says = std::move(says);
  out.expected = value.expected;
  out.schema = value.schema;
  out.read = [set = std::move(set), read = std::move(value.read)](Reader& reader, Node& node,
                                                                  S* s) {
    V v{};
    if (!read(reader, node, &v)) return false;
    set(s, std::move(v));
    return true;
  };
  return out;
}

// A key that is known and kept in the document, but fills nothing.
template <class S, class V>
Field<S> noted(std::string key, Value<V> value, std::string says) {
  return field_with<S, V>(std::move(key), std::move(value), [](S*, V) {}, std::move(says));
}

template <class S>
Value<S> object(const Shape<S>& shape) {
  return {"a mapping (" + shape.name + ")",
          [&shape](Reader& reader, Node& node, S* out) { return shape.read(reader, node, out); },
          [&shape](SchemaSet& set) { return reference_schema(shape, set); }};
}

// A key whose value is an object kept in a member; absent, the member has the object's own
// defaults.
template <class S, class M>
Field<S> object_field(std::string key, M S::* member, const Shape<M>& shape, std::string says) {
  Field<S> out = field(std::move(key), member, object(shape), std::move(says));
  out.child = &shape;
  out.child_always = true;
  out.reset = [member, &shape](S* s) { s->*member = shape.prototype(); };
  return out;
}

// A key whose object, when there is one, is put in place by `set`.
template <class S, class M>
Field<S> alternative(std::string key, const Shape<M>& shape, std::function<void(S*, M)> set,
                     std::string says) {
  Field<S> out = field_with<S, M>(std::move(key), object(shape), std::move(set), std::move(says));
  out.child = &shape;
  return out;
}

// A list of objects.
template <class S, class M>
Field<S> list_field(std::string key, std::vector<M> S::* member, const Shape<M>& shape,
                    std::string says, std::size_t max = kListItemsMax) {
  Field<S> out = field(std::move(key), member, list(object(shape), max), std::move(says));
  out.child = &shape;
  out.child_is_list = true;
  return out;
}

// A key whose object fills members of the outer object itself.
template <class S>
Field<S> section(std::string key, Shape<S> inner, std::string says) {
  const auto shape = std::make_shared<Shape<S>>(std::move(inner));
  Field<S> out;
  out.key = std::move(key);
  out.says = std::move(says);
  out.expected = "a mapping (" + shape->name + ")";
  out.child = shape.get();
  out.child_always = true;
  out.owned = shape;
  out.schema = [shape = shape.get()](SchemaSet& set) { return reference_schema(*shape, set); };
  out.read = [shape = shape.get()](Reader& reader, Node& node, S* s) {
    return shape->read_into(reader, node, s);
  };
  out.reset = [shape = shape.get()](S* s) { shape->apply_defaults(s); };
  return out;
}

}  // namespace showcaller::manifest
