// classify MODEL.ts TEST.safetensors: what an exported classifier makes of the examples of a prepared test split.
//
// Prints a line for each: its class, then the probability of every class, with tabs between them.

#include <torch/script.h>

#include <algorithm>
#include <cstdint>
#include <iomanip>
#include <iostream>
#include <limits>
#include <stdexcept>
#include <string>
#include <vector>

#include "safetensors.hpp"

namespace {

constexpr std::int64_t kBatchSize = 500;

torch::Tensor as_tensor(const StoredTensor& stored) {
  const torch::Dtype dtype = stored.dtype == "U8"    ? torch::kByte
                             : stored.dtype == "I32" ? torch::kInt
                             : stored.dtype == "I64" ? torch::kLong
                                                     : torch::kFloat;
  return torch::from_blob(const_cast<char*>(stored.bytes.data()), stored.shape, dtype).clone();
}

/// What a program reads: images or rows in one tensor, (N, ...), or texts.
class Examples {
 public:
  explicit Examples(const std::string& path) {
    const auto stored = read_safetensors(path);
    if (stored.contains("inputs")) {
      inputs_ = as_tensor(stored.at("inputs"));
    } else if (stored.contains("texts") && stored.contains("text_offsets")) {
      const std::string& characters = stored.at("texts").bytes;  // UTF-8, of all texts one behind the other
      const torch::Tensor offsets = as_tensor(stored.at("text_offsets"));
      const auto at = offsets.accessor<std::int64_t, 1>();
      for (std::int64_t i = 0; i + 1 < at.size(0); ++i) {
        if (at[i] < 0 || at[i] > at[i + 1] || at[i + 1] > std::ssize(characters))
          throw std::runtime_error(path + ": its text_offsets lie outside of its texts");
        texts_.push_back(characters.substr(at[i], at[i + 1] - at[i]));
      }
    } else {
      throw std::runtime_error(path + ": it has neither inputs nor texts, as data/processed/*/test.safetensors have");
    }
  }

  std::int64_t size() const { return inputs_.defined() ? inputs_.size(0) : std::ssize(texts_); }

  torch::IValue slice(std::int64_t begin, std::int64_t end) const {
    if (inputs_.defined()) return inputs_.slice(0, begin, end);
    return std::vector<std::string>(texts_.begin() + begin, texts_.begin() + end);  // List[str]
  }

 private:
  torch::Tensor inputs_;
  std::vector<std::string> texts_;
};

torch::jit::Module load(const std::string& path) {
  try {
    return torch::jit::load(path, torch::kCPU);
  } catch (const c10::Error& error) {
    throw std::runtime_error(path + ": " + error.what_without_backtrace());
  }
}

void classify(const std::string& model, const std::string& data) {
  const c10::InferenceMode without_gradients;
  torch::jit::Module program = load(model);
  if (!program.hasattr("classes")) throw std::runtime_error(model + ": it names no classes, so it is no classifier");
  const auto classes = program.attr("classes").to<std::vector<std::string>>();
  const Examples examples(data);
  std::cout << std::setprecision(std::numeric_limits<float>::max_digits10);
  for (std::int64_t begin = 0; begin < examples.size(); begin += kBatchSize) {
    const std::int64_t end = std::min(begin + kBatchSize, examples.size());
    const torch::Tensor probabilities = program.forward({examples.slice(begin, end)}).toTensor();  // (N, classes)
    const torch::Tensor labels = probabilities.argmax(1);
    const auto rows = probabilities.accessor<float, 2>();
    for (std::int64_t i = 0; i < rows.size(0); ++i) {
      std::cout << classes.at(labels[i].item<std::int64_t>());
      for (std::int64_t j = 0; j < rows.size(1); ++j) std::cout << '\t' << rows[i][j];
      std::cout << '\n';
    }
  }
  if (!std::cout.flush()) throw std::runtime_error("standard output can't be written");
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::cerr << "usage: classify MODEL.ts TEST.safetensors\n";
    return 1;
  }
  try {
    classify(argv[1], argv[2]);
  } catch (const c10::Error& error) {
    std::cerr << "error: " << error.what_without_backtrace() << '\n';
    return 1;
  } catch (const std::exception& error) {
    std::cerr << "error: " << error.what() << '\n';
    return 1;
  }
}
