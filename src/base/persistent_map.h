// SPDX-License-Identifier: Apache-2.0
// An ordered map whose copies are free: copying shares the whole tree, a change copies the path it
// touches, and a change to a tree that nobody shares happens in place. So a batch of changes may be
// published by one copy, at a cost that does not depend on the map's size, and readers of older
// copies never wait.
//
// A treap whose priorities are hashes of the keys, so equal contents have equal shapes. Depth is
// O(log n) expected. Threads: one writer a copy; any number of readers of other copies. Memory:
// about 100 bytes an entry besides K and V.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/counted_ref.h"
#include "base/hash.h"

namespace showcaller {

namespace persistent {

inline std::uint64_t priority_of(std::string_view key) {
  return hash64(key, 0x5ca1ab1e);
}
inline std::uint64_t priority_of(std::uint64_t key) {
  key = (key ^ (key >> 33)) * 0xff51afd7ed558ccdULL;
  key = (key ^ (key >> 33)) * 0xc4ceb9fe1a85ec53ULL;
  return key ^ (key >> 33);
}

}  // namespace persistent

template <class K, class V>
class PersistentMap {
  struct Entry {
    Entry(K k, V v) : key(std::move(k)), value(std::move(v)) {}
    std::atomic<std::uint32_t> count{1};
    K key;
    V value;
  };
  struct Node;
  using NodeRef = CountedRef<Node>;
  struct Node {
    Node(std::uint64_t p, CountedRef<Entry> e) : priority(p), entry(std::move(e)) {}
    Node(const Node& other)
        : priority(other.priority), entry(other.entry), left(other.left), right(other.right) {}
    std::atomic<std::uint32_t> count{1};
    std::uint64_t priority;
    CountedRef<Entry> entry;
    NodeRef left, right;
  };

 public:
  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }

  template <class Key>
  const V* find(const Key& key) const {
    const Node* node = find_below(root_.get(), key);
    return node ? &node->entry->value : nullptr;
  }
  template <class Key>
  bool contains(const Key& key) const {
    return find(key) != nullptr;
  }

  // The value at key, made if absent, free to change until the map is next copied or changed.
  V& operator[](const K& key) {
    V* value = nullptr;
    insert(&root_, key, persistent::priority_of(key), true, &value);
    return *value;
  }
  // The value at key, free to change; null if absent.
  template <class Key>
  V* edit(const Key& key) {
    return edit(&root_, key, true, false);
  }

  bool erase(const K& key) {
    if (!contains(key)) return false;
    remove(&root_, key, true);
    --size_;
    return true;
  }
  void clear() { *this = {}; }

  // Calls visit(key, value) in the order of the keys; a visit that returns false ends it.
  template <class Visit>
  void each(Visit&& visit) const {
    walk(root_.get(), visit);
  }
  // The same from the first key not less than `from` on.
  template <class Key, class Visit>
  void each_from(const Key& from, Visit&& visit) const {
    walk_from(root_.get(), from, visit);
  }
  const K* first_key() const {
    const Node* node = root_.get();
    while (node && node->left) node = node->left.get();
    return node ? &node->entry->key : nullptr;
  }

 private:
  template <class Key>
  static const Node* find_below(const Node* node, const Key& key) {
    while (node) {
      const auto order = key <=> node->entry->key;
      if (order == 0) return node;
      node = order < 0 ? node->left.get() : node->right.get();
    }
    return nullptr;
  }

  // Copies nothing before it is known that the key is there.
  template <class Key>
  static V* edit(NodeRef* slot, const Key& key, bool owned, bool known) {
    if (!*slot) return nullptr;
    owned = owned && slot->unique();
    if (!owned && !known && !find_below(slot->get(), key)) return nullptr;
    if (!owned) *slot = NodeRef(new Node(*slot->get()));
    Node* node = slot->get();
    const auto order = key <=> node->entry->key;
    if (order == 0) return &entry_to_change(node);
    return edit(order < 0 ? &node->left : &node->right, key, true, known || !owned);
  }

  static V& entry_to_change(Node* node) {
    if (!node->entry.unique()) {
      node->entry = CountedRef<Entry>(new Entry(node->entry->key, node->entry->value));
    }
    return node->entry->value;
  }

  // Makes *slot ours to change: copies the node if anybody else can reach it.
  static bool own(NodeRef* slot, bool parent_owned) {
    if (!(parent_owned && slot->unique())) *slot = NodeRef(new Node(*slot->get()));
    return true;
  }

  void insert(NodeRef* slot, const K& key, std::uint64_t priority, bool owned, V** value) {
    if (!*slot) {
      *slot = NodeRef(new Node(priority, CountedRef<Entry>(new Entry(key, V{}))));
      *value = &(*slot)->entry->value;
      ++size_;
      return;
    }
    owned = own(slot, owned);
    Node* node = slot->get();
    const auto order = key <=> node->entry->key;
    if (order < 0) {
      insert(&node->left, key, priority, owned, value);
      if (node->left->priority > node->priority) rotate_right(slot);
    } else if (order > 0) {
      insert(&node->right, key, priority, owned, value);
      if (node->right->priority > node->priority) rotate_left(slot);
    } else {
      *value = &entry_to_change(node);
    }
  }

  // Both nodes of a rotation are already owned: insert() came down through them.
  static void rotate_right(NodeRef* slot) {
    NodeRef up = std::move((*slot)->left);
    (*slot)->left = std::move(up->right);
    up->right = std::move(*slot);
    *slot = std::move(up);
  }
  static void rotate_left(NodeRef* slot) {
    NodeRef up = std::move((*slot)->right);
    (*slot)->right = std::move(up->left);
    up->left = std::move(*slot);
    *slot = std::move(up);
  }

  static void remove(NodeRef* slot, const K& key, bool owned) {
    own(slot, owned);
    Node* node = slot->get();
    const auto order = key <=> node->entry->key;
    if (order < 0) {
      remove(&node->left, key, true);
    } else if (order > 0) {
      remove(&node->right, key, true);
    } else {
      NodeRef left = std::move(node->left);
      NodeRef right = std::move(node->right);
      *slot = merge(std::move(left), std::move(right));
    }
  }

  static NodeRef merge(NodeRef left, NodeRef right) {
    if (!left) return right;
    if (!right) return left;
    if (left->priority > right->priority) {
      own(&left, true);
      left->right = merge(std::move(left->right), std::move(right));
      return left;
    }
    own(&right, true);
    right->left = merge(std::move(left), std::move(right->left));
    return right;
  }

  template <class Visit>
  static bool call(Visit& visit, const Entry& entry) {
    if constexpr (std::is_void_v<decltype(visit(entry.key, entry.value))>) {
      visit(entry.key, entry.value);
      return true;
    } else {
      return visit(entry.key, entry.value);
    }
  }
  template <class Visit>
  static bool walk(const Node* node, Visit& visit) {
    if (!node) return true;
    return walk(node->left.get(), visit) && call(visit, *node->entry.get()) &&
           walk(node->right.get(), visit);
  }
  template <class Key, class Visit>
  static bool walk_from(const Node* node, const Key& from, Visit& visit) {
    if (!node) return true;
    if (node->entry->key < from) return walk_from(node->right.get(), from, visit);
    return walk_from(node->left.get(), from, visit) && call(visit, *node->entry.get()) &&
           walk(node->right.get(), visit);
  }

  NodeRef root_;
  std::size_t size_ = 0;
};

}  // namespace showcaller
