#pragma once

#include <cstdint>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <string_view>

struct sqlite3;
struct sqlite3_stmt;

namespace rackwright::profiler {

/// A failed SQLite call, with its text and code.
class SqliteError : public std::runtime_error {
 public:
  SqliteError(const std::string& text, int code) : std::runtime_error(text), code_(code) {}
  [[nodiscard]] int code() const { return code_; }

 private:
  int code_;
};

/// A connection. Calls throw SqliteError.
class Database {
 public:
  enum class Access { create, read };
  /// `create` replaces what is there; `read` falls back to read-only where a journal of a killed
  /// writer cannot be rolled back for want of permission.
  Database(const std::filesystem::path& path, Access access);
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  void execute(const std::string& sql);
  /// First column of the first row.
  [[nodiscard]] std::int64_t integer(const std::string& sql);
  [[nodiscard]] sqlite3* handle() const { return handle_; }

 private:
  sqlite3* handle_ = nullptr;
};

/// A prepared statement. Parameters and columns count from 0.
class Statement {
 public:
  Statement(Database& database, std::string_view sql);
  ~Statement();
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;

  Statement& bind(int index, double value);
  Statement& bind(int index, std::int64_t value);
  Statement& bind(int index, std::string_view value);
  Statement& bind_null(int index);
  /// True while there is a row.
  bool step();
  /// Runs a statement without rows and makes it ready for the next parameters.
  void run();
  /// Makes it ready for the next parameters after `step`.
  void reset();

  [[nodiscard]] double number(int column) const;
  [[nodiscard]] std::int64_t integer(int column) const;
  [[nodiscard]] std::string text(int column) const;
  [[nodiscard]] bool is_null(int column) const;

 private:
  Database& database_;
  sqlite3_stmt* handle_ = nullptr;
};

/// Runs `write(begin, end)` over `count` rows, one transaction per batch: what a killed run can lose
/// at most.
template <class WriteRows>
void in_batches(Database& database, std::size_t count, WriteRows&& write) {
  constexpr std::size_t kBatchRows = 20000;
  for (std::size_t begin = 0; begin < count; begin += kBatchRows) {
    database.execute("BEGIN");
    write(begin, begin + kBatchRows < count ? begin + kBatchRows : count);
    database.execute("COMMIT");
  }
}

}  // namespace rackwright::profiler
