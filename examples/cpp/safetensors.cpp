#include "safetensors.hpp"

#include <charconv>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <limits>
#include <stdexcept>
#include <string_view>

namespace {

/// Takes a header apart, from its beginning to its end.
class Header {
 public:
  explicit Header(std::string_view text) : rest_(text) {}

  bool skip(std::string_view wanted) {
    const bool found = rest_.starts_with(wanted);
    if (found) rest_.remove_prefix(wanted.size());
    return found;
  }

  void expect(std::string_view wanted) {
    if (!skip(wanted)) throw std::runtime_error("its header lacks " + std::string(wanted));
  }

  std::string quoted() {
    expect("\"");
    const std::string text(rest_.substr(0, rest_.find('"')));
    rest_.remove_prefix(text.size());
    expect("\"");
    return text;
  }

  std::int64_t number() {
    std::int64_t value = -1;
    const auto [end, error] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), value);
    if (error != std::errc() || value < 0) throw std::runtime_error("its header lacks a number");
    rest_.remove_prefix(end - rest_.data());
    return value;
  }

 private:
  std::string_view rest_;
};

std::int64_t size_of(const std::string& dtype) {
  if (dtype == "U8") return 1;
  if (dtype == "I32" || dtype == "F32") return 4;
  if (dtype == "I64") return 8;
  throw std::runtime_error("dtype " + dtype + " isn't among U8, I32, I64, F32");
}

StoredTensor read_tensor(Header& header, std::string_view data) {
  StoredTensor tensor;
  header.expect(":{\"dtype\":");
  tensor.dtype = header.quoted();
  std::int64_t num_bytes = size_of(tensor.dtype);
  header.expect(",\"shape\":[");
  while (!header.skip("]")) {
    if (!tensor.shape.empty()) header.expect(",");
    const std::int64_t size = tensor.shape.emplace_back(header.number());
    if (size > 0 && num_bytes > std::numeric_limits<std::int64_t>::max() / size)
      throw std::runtime_error("a tensor is larger than any memory");
    num_bytes *= size;
  }
  header.expect(",\"data_offsets\":[");
  const std::int64_t begin = header.number();
  header.expect(",");
  const std::int64_t end = header.number();
  header.expect("]}");
  if (begin > end || end > std::ssize(data)) throw std::runtime_error("it is truncated");
  if (end - begin != num_bytes) throw std::runtime_error("a tensor has more or fewer bytes than its shape says");
  tensor.bytes = data.substr(begin, num_bytes);
  return tensor;
}

std::map<std::string, StoredTensor> parse(std::string_view content) {
  std::uint64_t length = 0;
  if (content.size() < sizeof length) throw std::runtime_error("it is truncated");
  std::memcpy(&length, content.data(), sizeof length);
  content.remove_prefix(sizeof length);
  if (length > content.size()) throw std::runtime_error("it is truncated, or no safetensors file");
  Header header(content.substr(0, length));
  std::map<std::string, StoredTensor> tensors;
  header.expect("{");
  do {
    std::string name = header.quoted();
    tensors[name] = read_tensor(header, content.substr(length));
  } while (header.skip(","));
  header.expect("}");
  return tensors;
}

}  // namespace

std::map<std::string, StoredTensor> read_safetensors(const std::string& path) {
  std::string content(std::filesystem::file_size(path), '\0');
  std::ifstream stream(path, std::ios::binary);
  if (!stream.read(content.data(), std::ssize(content))) throw std::runtime_error(path + ": it can't be read");
  try {
    return parse(content);
  } catch (const std::runtime_error& error) {
    throw std::runtime_error(path + ": " + error.what());
  }
}
