#include "profiler/sqlite.hpp"

#include <sqlite3.h>

#include <fmt/format.h>

namespace rackwright::profiler {

namespace {

[[noreturn]] void fail(sqlite3* handle, int code) {
  const char* text = handle != nullptr ? sqlite3_errmsg(handle) : sqlite3_errstr(code);
  throw SqliteError(fmt::format("{} (SQLite code {})", text, code), code);
}

/// A run is written while somebody looks into its file: the one waits for the other.
constexpr int kWaitMs = 5000;

int open(const std::filesystem::path& path, int flags, sqlite3** handle) {
  const int code = sqlite3_open_v2(path.c_str(), handle, flags, nullptr);
  if (code != SQLITE_OK) {
    sqlite3_close(*handle);
    *handle = nullptr;
  } else {
    sqlite3_busy_timeout(*handle, kWaitMs);
  }
  return code;
}

}  // namespace

Database::Database(const std::filesystem::path& path, Access access) {
  if (access == Access::create) {
    const int code = open(path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, &handle_);
    if (code != SQLITE_OK) fail(handle_, code);
    return;
  }
  if (open(path, SQLITE_OPEN_READWRITE, &handle_) == SQLITE_OK) return;
  const int code = open(path, SQLITE_OPEN_READONLY, &handle_);
  if (code != SQLITE_OK) fail(handle_, code);
}

Database::~Database() {
  sqlite3_close(handle_);
}

void Database::execute(const std::string& sql) {
  const int code = sqlite3_exec(handle_, sql.c_str(), nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) fail(handle_, code);
}

std::int64_t Database::integer(const std::string& sql) {
  Statement statement(*this, sql);
  return statement.step() ? statement.integer(0) : 0;
}

Statement::Statement(Database& database, std::string_view sql) : database_(database) {
  const int code = sqlite3_prepare_v2(database.handle(), sql.data(), static_cast<int>(sql.size()),
                                      &handle_, nullptr);
  if (code != SQLITE_OK) fail(database.handle(), code);
}

Statement::~Statement() {
  sqlite3_finalize(handle_);
}

Statement& Statement::bind(int index, double value) {
  const int code = sqlite3_bind_double(handle_, index + 1, value);
  if (code != SQLITE_OK) fail(database_.handle(), code);
  return *this;
}

Statement& Statement::bind_null(int index) {
  const int code = sqlite3_bind_null(handle_, index + 1);
  if (code != SQLITE_OK) fail(database_.handle(), code);
  return *this;
}

Statement& Statement::bind(int index, std::int64_t value) {
  const int code = sqlite3_bind_int64(handle_, index + 1, value);
  if (code != SQLITE_OK) fail(database_.handle(), code);
  return *this;
}

Statement& Statement::bind(int index, std::string_view value) {
  const int code = sqlite3_bind_text(handle_, index + 1, value.data(),
                                     static_cast<int>(value.size()), SQLITE_TRANSIENT);
  if (code != SQLITE_OK) fail(database_.handle(), code);
  return *this;
}

bool Statement::step() {
  const int code = sqlite3_step(handle_);
  if (code == SQLITE_ROW) return true;
  if (code != SQLITE_DONE) fail(database_.handle(), code);
  return false;
}

void Statement::run() {
  step();
  reset();
}

void Statement::reset() {
  sqlite3_reset(handle_);
}

double Statement::number(int column) const {
  return sqlite3_column_double(handle_, column);
}

std::int64_t Statement::integer(int column) const {
  return sqlite3_column_int64(handle_, column);
}

std::string Statement::text(int column) const {
  const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(handle_, column));
  return text == nullptr
             ? std::string()
             : std::string(text, static_cast<std::size_t>(sqlite3_column_bytes(handle_, column)));
}

bool Statement::is_null(int column) const {
  return sqlite3_column_type(handle_, column) == SQLITE_NULL;
}

}  // namespace rackwright::profiler
