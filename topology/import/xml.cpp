#include <algorithm>
#include <cctype>

#include <fmt/format.h>

#include "common/input_error.hpp"
#include "topology/import/node_topology.hpp"

namespace rackwright::topology {

namespace {

class XmlParser {
 public:
  XmlParser(const std::string& text, const std::string& file) : text_(text), file_(file) {}

  XmlElement root() {
    skip_misc();
    XmlElement element = read_element(0);
    skip_misc();
    if (at_ < text_.size()) fail("the end of the file");
    return element;
  }

 private:
  static constexpr int kDeepest = 64;

  [[noreturn]] void fail(const std::string& expected) const {
    const std::string next = text_.substr(std::min(at_, text_.size()), 12);
    const bool text = std::all_of(next.begin(), next.end(), [](unsigned char byte) {
      return std::isprint(byte) != 0 || std::isspace(byte) != 0;
    });
    const std::string found = next.empty() ? "the end of the file"
                              : text       ? fmt::format("\"{}\"", next)
                                           : "bytes that are no text";
    throw InputError(InputProblem{file_, line_, "", expected, found});
  }
  [[nodiscard]] bool starts(const char* what) const {
    return text_.compare(at_, std::char_traits<char>::length(what), what) == 0;
  }
  void step(std::size_t n = 1) {
    for (; n > 0 && at_ < text_.size(); --n, ++at_) line_ += text_[at_] == '\n' ? 1 : 0;
  }
  void skip_space() {
    while (at_ < text_.size() && std::isspace(static_cast<unsigned char>(text_[at_])) != 0) step();
  }
  void skip_until(const char* end) {
    const auto found = text_.find(end, at_);
    if (found == std::string::npos) fail(fmt::format("\"{}\"", end));
    step(found - at_ + std::char_traits<char>::length(end));
  }
  /// Blanks, comments, declarations.
  void skip_misc() {
    for (skip_space(); at_ < text_.size(); skip_space()) {
      if (starts("<!--")) {
        skip_until("-->");
      } else if (starts("<?") || starts("<!")) {
        skip_until(">");
      } else {
        return;
      }
    }
  }
  std::string read_name() {
    const std::size_t start = at_;
    const auto part = [](char c) {
      return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '-' || c == ':';
    };
    while (at_ < text_.size() && part(text_[at_])) step();
    if (at_ == start) fail("a name");
    return text_.substr(start, at_ - start);
  }
  void expect(char c) {
    if (at_ >= text_.size() || text_[at_] != c) fail(fmt::format("\"{}\"", c));
    step();
  }
  void read_attribute(XmlElement& element) {
    const std::string key = read_name();
    skip_space();
    expect('=');
    skip_space();
    if (at_ >= text_.size() || (text_[at_] != '"' && text_[at_] != '\'')) fail("a quoted value");
    const char quote = text_[at_];
    step();
    const auto end = text_.find(quote, at_);
    if (end == std::string::npos) fail("the end of the value");
    element.attributes[key] = text_.substr(at_, end - at_);
    step(end - at_ + 1);
  }
  XmlElement read_element(int depth) {
    if (depth > kDeepest) fail(fmt::format("at most {} levels", kDeepest));
    XmlElement element;
    element.line = line_;
    expect('<');
    element.name = read_name();
    for (skip_space(); at_ < text_.size() && text_[at_] != '>' && text_[at_] != '/'; skip_space()) {
      read_attribute(element);
    }
    if (starts("/>")) {
      step(2);
      return element;
    }
    expect('>');
    for (skip_misc(); !starts("</"); skip_misc())
      element.children.push_back(read_element(depth + 1));
    step(2);
    if (read_name() != element.name) fail(fmt::format("the end of <{}>", element.name));
    skip_space();
    expect('>');
    return element;
  }

  const std::string& text_;
  const std::string& file_;
  std::size_t at_ = 0, line_ = 1;
};

}  // namespace

std::string XmlElement::attribute(const std::string& key) const {
  const auto found = attributes.find(key);
  return found == attributes.end() ? "" : found->second;
}

XmlElement parse_xml(const std::string& text, const std::string& file) {
  return XmlParser(text, file).root();
}

}  // namespace rackwright::topology
