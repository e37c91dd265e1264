// SPDX-License-Identifier: Apache-2.0
// Shapes: tables that say which keys an object of a manifest has. Reading, "did you mean", JSON
// Schema, the defaults that `plan` shows and the reference pages all come from these tables.
//
// A default is written in the table as a user would write it, and is read by the same reader when
// the key is absent: what the table says is what happens.
#pragma once

#include <functional>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/check.h"
#include "model/manifest/value.h"

namespace showcaller::manifest {

class ShapeInfo;

// One key. What a shape does with its keys is written once, for any object: `read` and `reset` take
// the object by address, and Field<S> below is what says which type that has.
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
  std::function<bool(Reader&, Node&, void*)> read;
  std::function<void(void*)> reset;   // puts the defaults of an object in place
  std::shared_ptr<const void> owned;  // a section's shape

  // Out of line: the tables of all manifests make and move fields.
  FieldInfo();
  FieldInfo(const FieldInfo&);
  FieldInfo(FieldInfo&&) noexcept;
  FieldInfo& operator=(const FieldInfo&);
  FieldInfo& operator=(FieldInfo&&) noexcept;
  ~FieldInfo();
};

// A key of objects of type S.
template <class S>
struct Field {
  FieldInfo info;

  Field&& needed() && {
    info.required = true;
    return std::move(*this);
  }
  // Needed in the end, but the thing that `other` names may bring it.
  Field&& needed_or(std::string other) && {
    info.required = true;
    info.or_key = std::move(other);
    return std::move(*this);
  }
  Field&& assumed(std::string text) && {
    info.by_default = std::move(text);
    return std::move(*this);
  }
  Field&& derived_as(std::string words) && {
    info.derived = std::move(words);
    return std::move(*this);
  }
};

// A table without the type of its objects: all of its work is here, once.
class ShapeInfo {
 public:
  std::string name;
  std::string says;

  const std::vector<FieldInfo>& fields() const { return fields_; }

 protected:
  using Finish = std::function<void(Reader&, const Node&, void*)>;

  ShapeInfo(std::string shape_name, std::string meaning, Finish finish);
  ShapeInfo(const ShapeInfo&);
  ShapeInfo(ShapeInfo&&) noexcept;
  ~ShapeInfo();

  void add(FieldInfo field);
  void put_defaults(void* out) const;
  bool read_over(Reader& reader, Node& node, void* out) const;

 private:
  const FieldInfo* find(std::string_view key) const;
  void report_missing_keys(Reader& reader, const Node& node) const;

  std::vector<FieldInfo> fields_;
  Finish finish_;
};

FieldInfo key_of(std::string key, std::string says, ValueInfo value,
                 std::function<bool(Reader&, Node&, void*)> read);

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

  Shape(std::string shape_name, std::string meaning, std::initializer_list<Field<S>> fields,
        Finish finish = {})
      : ShapeInfo(std::move(shape_name), std::move(meaning), any_object(std::move(finish))) {
    for (const Field<S>& field : fields) add(field.info);
    apply_defaults(&prototype_);
  }

  const S& prototype() const { return prototype_; }
  void apply_defaults(S* out) const { put_defaults(out); }
  // Reads over what `out` holds already.
  bool read_into(Reader& reader, Node& node, S* out) const { return read_over(reader, node, out); }

  bool read(Reader& reader, Node& node, S* out) const {
    *out = prototype_;
    return read_into(reader, node, out);
  }

 private:
  static ShapeInfo::Finish any_object(Finish finish) {
    if (!finish) return {};
    return [finish = std::move(finish)](Reader& reader, const Node& node, void* out) {
      finish(reader, node, static_cast<S*>(out));
    };
  }

  S prototype_{};
};

// A key that fills a member.
template <class S, class M, class V>
Field<S> field(std::string key, M S::* member, Value<V> value, std::string says) {
  auto put = [member, read = std::move(value.read)](Reader& reader, Node& node, void* object) {
    V v{};
    if (!read(reader, node, &v)) return false;
    static_cast<S*>(object)->*member = std::move(v);
    return true;
  };
  return {key_of(std::move(key), std::move(says), std::move(value), std::move(put))};
}

// A key whose value is put in place by `set`.
template <class S, class V>
Field<S> field_with(std::string key, Value<V> value, std::function<void(S*, V)> set,
                    std::string says) {
  auto put = [set = std::move(set), read = std::move(value.read)](Reader& reader, Node& node,
                                                                  void* object) {
    V v{};
    if (!read(reader, node, &v)) return false;
    set(static_cast<S*>(object), std::move(v));
    return true;
  };
  return {key_of(std::move(key), std::move(says), std::move(value), std::move(put))};
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
  out.info.child = &shape;
  out.info.child_always = true;
  out.info.reset = [member, &shape](void* object) {
    static_cast<S*>(object)->*member = shape.prototype();
  };
  return out;
}

// A key whose object, when there is one, is put in place by `set`.
template <class S, class M>
Field<S> alternative(std::string key, const Shape<M>& shape, std::function<void(S*, M)> set,
                     std::string says) {
  Field<S> out = field_with<S, M>(std::move(key), object(shape), std::move(set), std::move(says));
  out.info.child = &shape;
  return out;
}

// A list of objects.
template <class S, class M>
Field<S> list_field(std::string key, std::vector<M> S::* member, const Shape<M>& shape,
                    std::string says, std::size_t max = kListItemsMax) {
  Field<S> out = field(std::move(key), member, list(object(shape), max), std::move(says));
  out.info.child = &shape;
  out.info.child_is_list = true;
  return out;
}

// A key whose object fills members of the outer object itself.
template <class S>
Field<S> section(std::string key, Shape<S> inner, std::string says) {
  const auto shape = std::make_shared<Shape<S>>(std::move(inner));
  Field<S> out;
  out.info.key = std::move(key);
  out.info.says = std::move(says);
  out.info.expected = "a mapping (" + shape->name + ")";
  out.info.child = shape.get();
  out.info.child_always = true;
  out.info.owned = shape;
  out.info.schema = [shape = shape.get()](SchemaSet& set) { return reference_schema(*shape, set); };
  out.info.read = [shape = shape.get()](Reader& reader, Node& node, void* object) {
    return shape->read_into(reader, node, static_cast<S*>(object));
  };
  out.info.reset = [shape = shape.get()](void* object) {
    shape->apply_defaults(static_cast<S*>(object));
  };
  return out;
}

}  // namespace showcaller::manifest
