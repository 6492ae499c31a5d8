#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

/// A tensor as it lies in a file: its numbers in row-major order, little-endian.
struct StoredTensor {
  std::string dtype;  ///< U8, I32, I64 or F32
  std::vector<std::int64_t> shape;
  std::string bytes;  ///< as many as dtype and shape say
};

/// Reads every tensor of a safetensors file: name -> tensor.
///
/// Such a file holds the length of its header (uint64, little-endian), the header, which is JSON in the form that the
/// library safetensors writes, and the tensors' bytes. Throws std::runtime_error, whose message names the file, if it is
/// missing, truncated or damaged.
std::map<std::string, StoredTensor> read_safetensors(const std::string& path);
