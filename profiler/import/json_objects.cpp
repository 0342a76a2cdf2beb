#include "profiler/import/json_objects.hpp"

#include <cstring>
#include <fstream>
#include <stdexcept>

#include <zlib.h>

#include "common/csv_reader.hpp"
#include "profiler/import/text_lines.hpp"

namespace rackwright::profiler {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t kReadBytes = 1 << 20;

/// The end of the string whose opening quote is at `at - 1`: just behind its closing quote, or
/// npos.
std::size_t string_end(const std::string& text, std::size_t at) {
  while (true) {
    const void* quote = std::memchr(text.data() + at, '"', text.size() - at);
    if (quote == nullptr) return std::string::npos;
    const auto end = static_cast<std::size_t>(static_cast<const char*>(quote) - text.data());
    std::size_t slashes = 0;
    while (slashes < end - at && text[end - 1 - slashes] == '\\') ++slashes;
    if (slashes % 2 == 0) return end + 1;
    at = end + 1;
  }
}

/// The end of the object or array that opens at `at`, or npos when the text ends first.
std::size_t value_end(const std::string& text, std::size_t at) {
  int depth = 0;
  while (at < text.size()) {
    const char c = text[at++];
    if (c == '"') {
      at = string_end(text, at);
      if (at == std::string::npos) return at;
    } else if (c == '{' || c == '[') {
      ++depth;
    } else if (c == '}' || c == ']') {
      if (--depth == 0) return at;
    }
  }
  return std::string::npos;
}

}  // namespace

struct ByteSource::Impl {
  gzFile file = nullptr;  // also reads what is not compressed
  std::string name;
};

ByteSource::ByteSource(const fs::path& path) : impl_(std::make_unique<Impl>()) {
  static_cast<void>(open_input(path));  // says what is wrong with the path
  total_ = bytes_of(path);
  impl_->name = path.string();
  impl_->file = gzopen(path.c_str(), "rb");
  if (impl_->file == nullptr) throw bad_input(path, 0, "", "a readable file", "none");
  gzbuffer(impl_->file, kReadBytes);
}

ByteSource::~ByteSource() {
  if (impl_->file != nullptr) gzclose_r(impl_->file);
}

bool ByteSource::read(std::string& buffer, std::size_t size) {
  const std::size_t before = buffer.size();
  buffer.resize(before + size);
  const int got = gzread(impl_->file, buffer.data() + before, static_cast<unsigned>(size));
  int code = Z_OK;
  const char* text = gzerror(impl_->file, &code);
  buffer.resize(before + static_cast<std::size_t>(std::max(got, 0)));
  if (got < 0 || (code != Z_OK && code != Z_STREAM_END)) {
    throw bad_input(impl_->name, 0, "", "an undamaged gzip file", text);
  }
  return got > 0;
}

double ByteSource::bytes_done() const {
  return static_cast<double>(gzoffset(impl_->file));
}

ObjectSplitter::ObjectSplitter(ByteSource& source, std::string key)
    : source_(source), key_(std::move(key)) {}

bool ObjectSplitter::fill() {
  return source_.read(buffer_, kReadBytes);
}

void ObjectSplitter::find_array() {
  const auto need = [&] {
    if (!fill()) throw std::runtime_error("no array \"" + key_ + "\"");
  };
  const auto skip_blank = [&] {
    while (true) {
      at_ = buffer_.find_first_not_of(" \t\r\n,:", at_);
      if (at_ != std::string::npos) return;
      at_ = buffer_.size();
      need();
    }
  };
  skip_blank();
  if (buffer_[at_] == '[') {
    ++at_;
    return;
  }
  if (buffer_[at_] != '{') throw std::runtime_error("neither an object nor an array");
  ++at_;
  while (true) {
    skip_blank();
    if (buffer_[at_] != '"') throw std::runtime_error("no array \"" + key_ + "\"");
    std::size_t end = std::string::npos;
    while ((end = string_end(buffer_, at_ + 1)) == std::string::npos) need();
    const std::string key = buffer_.substr(at_ + 1, end - at_ - 2);
    at_ = end;
    skip_blank();
    if (key == key_) {
      if (buffer_[at_] != '[') throw std::runtime_error("\"" + key_ + "\" is no array");
      before_ = buffer_.substr(0, at_);
      ++at_;
      return;
    }
    if (buffer_[at_] == '{' || buffer_[at_] == '[') {
      while ((end = value_end(buffer_, at_)) == std::string::npos) need();
      at_ = end;
    } else if (buffer_[at_] == '"') {
      while ((end = string_end(buffer_, at_ + 1)) == std::string::npos) need();
      at_ = end;
    } else {
      while ((end = buffer_.find_first_of(",}", at_)) == std::string::npos) need();
      at_ = end;
    }
  }
}

bool ObjectSplitter::next(std::string& piece, std::size_t bytes) {
  if (ended_) return false;
  if (!started_) {
    find_array();
    started_ = true;
  }
  piece.assign(1, '[');
  while (piece.size() < bytes) {
    const std::size_t start = buffer_.find_first_not_of(" \t\r\n,", at_);
    if (start == std::string::npos) {
      buffer_.clear();
      at_ = 0;
      if (!fill()) throw std::runtime_error("the text ends inside the array \"" + key_ + "\"");
      continue;
    }
    at_ = start;
    if (buffer_[at_] == ']') {
      ++at_;
      ended_ = true;
      buffer_.erase(0, at_);
      while (fill()) {
      }
      after_ = std::move(buffer_);
      break;
    }
    const std::size_t end = value_end(buffer_, at_);
    if (end == std::string::npos) {
      buffer_.erase(0, at_);
      at_ = 0;
      if (!fill()) throw std::runtime_error("the text ends inside an object");
      continue;
    }
    if (piece.size() > 1) piece += ',';
    piece.append(buffer_, at_, end - at_);
    at_ = end;
  }
  piece += ']';
  return piece.size() > 2;
}

std::string ObjectSplitter::rest() const {
  return before_.empty() ? std::string("{}") : before_ + "[]" + after_;
}

}  // namespace rackwright::profiler
