// SPDX-License-Identifier: Apache-2.0
// The schema that editors get agrees with the reader: good manifests pass, bad ones do not.
#include "model/manifest/schema.h"

#include <gtest/gtest.h>
// As in src/model/json_schema.cc: one program, one meaning.
#define VALIJSON_USE_EXCEPTIONS 1
#include <valijson/adapters/boost_json_adapter.hpp>
#include <valijson/schema.hpp>
#include <valijson/schema_parser.hpp>
#include <valijson/validator.hpp>

#include "model/manifest/init.h"
#include "tests/model/manifest/example_set.h"

namespace showcaller {
namespace {

class SchemaCheck {
 public:
  explicit SchemaCheck(const json::object& schema) {
    const json::value value = schema;
    valijson::SchemaParser parser;
    parser.populateSchema(valijson::adapters::BoostJsonAdapter(value), schema_);
  }

  // "" when the document fits.
  std::string check(const json::value& document) {
    valijson::Validator validator;
    valijson::ValidationResults results;
    if (validator.validate(schema_, valijson::adapters::BoostJsonAdapter(document), &results))
      return {};
    std::string out;
    valijson::ValidationResults::Error error;
    while (results.popError(error)) {
      for (const auto& step : error.context) out += step;
      out += ": " + error.description + "\n";
    }
    return out;
  }

 private:
  valijson::Schema schema_;
};

json::value as_json(const SourceFile& file, std::size_t index) {
  std::vector<Finding> findings;
  const auto documents = manifest::parse_documents(file, 0, {}, &findings);
  return manifest::to_json(documents.at(index));
}

TEST(Schema, ExamplesFitAsWritten) {
  SchemaCheck any(manifest_schema());
  std::vector<SourceFile> files = example_files();
  for (SourceFile& file : arena_files()) files.push_back(std::move(file));
  for (const SourceFile& file : files) {
    std::vector<Finding> findings;
    for (const manifest::Node& root : manifest::parse_documents(file, 0, {}, &findings)) {
      EXPECT_EQ(any.check(manifest::to_json(root)), "") << file.name;
    }
  }
}

TEST(Schema, ResolvedDocumentsFitTheirKind) {
  const ExampleSet examples;
  for (const Manifest& manifest : examples.outcome().manifests) {
    SchemaCheck one(manifest_schema(manifest.kind()));
    EXPECT_EQ(one.check(manifest.document), "") << manifest.key();
  }
}

TEST(Schema, WrongManifestsDoNotFit) {
  SchemaCheck any(manifest_schema());
  const std::string head =
      "apiVersion: showcaller.dev/v1\nkind: LiveEvent\nmetadata: { name: a, owner: b }\nspec:\n";
  const std::string change = "  changes: [ { flag: { key: f, to: x } } ]\n";
  EXPECT_EQ(any.check(as_json({"a.yaml", head + change}, 0)), "");
  for (const std::string bad :
       {"  riks: high\n", "  risk: hihg\n", "  priority: 1.5\n",
        "  rollout: { stages: [ { exposure: 5% } ] }\n",
        "  rollout: { stages: [ { name: a, exposure: 5 } ] }\n", "  rollback: { within: soon }\n",
        "  gates: [ { metric: m, must_detect: 2 } ]\n", "  intake: { pace: 20k }\n",
        "  rollout: { stages: [ { name: a, exposure: 150% } ] }\n", "  rollback: { within: 0s }\n",
        "  watch: { for: ever }\n", "  gates: [ { metric: m, must_detect: 1x } ]\n",
        "  gates: [ { metric: m, at_most: lots } ]\n", "  rollout: { begin: soon before start }\n",
        "  intake: { pace: 0/min }\n"}) {
    EXPECT_NE(any.check(as_json({"a.yaml", head + bad + change}, 0)), "") << bad;
  }
  EXPECT_NE(any.check(as_json({"a.yaml", head + "  risk: low\n"}, 0)), "");
  EXPECT_EQ(any.check(as_json({"a.yaml", head + "  pipeline: { name: quick }\n"}, 0)), "");
  EXPECT_NE(
      any.check(*parse_json(
          R"({"apiVersion":"showcaller.dev/v2","kind":"Team","metadata":{"name":"a"},"spec":{}})")),
      "");
  EXPECT_NE(
      any.check(*parse_json(
          R"({"apiVersion":"showcaller.dev/v1","kind":"Drill","metadata":{"name":"a"},"spec":{}})")),
      "");
}

TEST(Schema, EachKeyIsDescribed) {
  const json::object schema = manifest_schema();
  for (const auto& [name, definition] : schema.at("definitions").get_object()) {
    for (const auto& [key, property] : definition.get_object().at("properties").get_object()) {
      EXPECT_TRUE(property.get_object().contains("description")) << name << "." << key;
    }
  }
}

TEST(Schema, ReferencePageIsTheOneInTheDocs) {
  const auto path = std::filesystem::path(SHOWCALLER_SOURCE_DIR) / "docs/manifest-reference.md";
  const std::string page =
      "# Manifest reference\n\nPrinted from the tables that read manifests; a test compares. What "
      "manifests are for is in "
      "[manifests.md](manifests.md).\n" +
      manifest_reference();
  if (std::getenv("SHOWCALLER_REWRITE") != nullptr) write_file(path, page);
  EXPECT_EQ(page, read_file(path));
}

}  // namespace
}  // namespace showcaller
