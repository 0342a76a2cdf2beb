#pragma once

#include <algorithm>
#include <cmath>
#include <map>
#include <regex>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace rackwright::testing {

/// The part of JSON Schema (draft 2020-12) that our schemas use: type, enum, const, required,
/// properties, patternProperties, additionalProperties, items, minItems, minimum, maximum,
/// minLength, pattern, anyOf, local $ref. Gives one line per violation.
class JsonSchema {
 public:
  explicit JsonSchema(nlohmann::json schema) : schema_(std::move(schema)) {}

  [[nodiscard]] std::vector<std::string> violations(const nlohmann::json& value) const {
    std::vector<std::string> result;
    check(value, schema_, "", result);
    return result;
  }
  [[nodiscard]] const nlohmann::json& json() const { return schema_; }

 private:
  using Json = nlohmann::json;
  using Lines = std::vector<std::string>;

  static bool has_type(const Json& value, const std::string& type) {
    if (type == "integer")
      return value.is_number() && std::floor(value.get<double>()) == value.get<double>();
    if (type == "number") return value.is_number();
    if (type == "string") return value.is_string();
    if (type == "boolean") return value.is_boolean();
    if (type == "null") return value.is_null();
    if (type == "array") return value.is_array();
    return type == "object" && value.is_object();
  }

  /// Compiled once: a catalogue has thousands of keys.
  bool matches(const std::string& text, const std::string& pattern) const {
    const auto [found, added] = compiled_.try_emplace(pattern);
    if (added) found->second = std::regex(pattern);
    return std::regex_search(text, found->second);
  }

  void check(const Json& value, const Json& schema, const std::string& at, Lines& out) const {
    if (schema.is_boolean()) {
      if (!schema.get<bool>()) out.push_back(at + ": not allowed");
      return;
    }
    if (schema.contains("$ref")) {
      check(value, schema_.at(Json::json_pointer(schema["$ref"].get<std::string>().substr(1))), at,
            out);
    }
    check_value(value, schema, at, out);
    if (schema.contains("anyOf")) check_any(value, schema["anyOf"], at, out);
    if (value.is_object()) check_object(value, schema, at, out);
    if (value.is_array()) check_array(value, schema, at, out);
  }

  void check_value(const Json& value, const Json& schema, const std::string& at, Lines& out) const {
    if (schema.contains("type")) {
      const Json types = schema["type"].is_array() ? schema["type"] : Json::array({schema["type"]});
      bool good = false;
      for (const Json& type : types) good = good || has_type(value, type.get<std::string>());
      if (!good) out.push_back(at + ": type is not " + types.dump());
    }
    if (schema.contains("enum")) {
      const Json& words = schema["enum"];
      if (std::find(words.begin(), words.end(), value) == words.end()) {
        out.push_back(at + ": not one of " + words.dump());
      }
    }
    if (schema.contains("const") && value != schema["const"]) out.push_back(at + ": const");
    if (value.is_number() && schema.contains("minimum") && value < schema["minimum"]) {
      out.push_back(at + ": under the minimum");
    }
    if (value.is_number() && schema.contains("maximum") && value > schema["maximum"]) {
      out.push_back(at + ": over the maximum");
    }
    if (value.is_string() && schema.contains("minLength") &&
        value.get<std::string>().size() < schema["minLength"].get<std::size_t>()) {
      out.push_back(at + ": too short");
    }
    if (value.is_string() && schema.contains("pattern") &&
        !matches(value.get<std::string>(), schema["pattern"].get<std::string>())) {
      out.push_back(at + ": pattern");
    }
  }

  void check_any(const Json& value, const Json& choices, const std::string& at, Lines& out) const {
    for (const Json& choice : choices) {
      Lines lines;
      check(value, choice, at, lines);
      if (lines.empty()) return;
    }
    out.push_back(at + ": none of the forms fits");
  }

  void check_object(const Json& value, const Json& schema, const std::string& at,
                    Lines& out) const {
    for (const Json& key : schema.value("required", Json::array())) {
      if (!value.contains(key.get<std::string>())) out.push_back(at + ": no " + key.dump());
    }
    const Json properties = schema.value("properties", Json::object());
    const Json patterns = schema.value("patternProperties", Json::object());
    for (const auto& [key, item] : value.items()) {
      const std::string place = at + "/" + key;
      bool known = properties.contains(key);
      if (known) check(item, properties[key], place, out);
      for (const auto& [pattern, form] : patterns.items()) {
        if (!matches(key, pattern)) continue;
        known = true;
        check(item, form, place, out);
      }
      if (!known && schema.contains("additionalProperties")) {
        check(item, schema["additionalProperties"], place, out);
      }
    }
  }

  void check_array(const Json& value, const Json& schema, const std::string& at, Lines& out) const {
    if (schema.contains("minItems") && value.size() < schema["minItems"].get<std::size_t>()) {
      out.push_back(at + ": too few items");
    }
    if (!schema.contains("items")) return;
    for (std::size_t i = 0; i < value.size(); ++i) {
      check(value[i], schema["items"], at + "/" + std::to_string(i), out);
    }
  }

  Json schema_;
  mutable std::map<std::string, std::regex> compiled_;
};

}  // namespace rackwright::testing
