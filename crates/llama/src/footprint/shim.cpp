// What llama.cpp tells in C++ only, as C functions: the tensors of a model, and the
// memory of a context by buffer type. Declared as in llama.cpp's own src/llama-model.h and
// src/llama-ext.h, of the version that Cargo.toml pins (llama-cpp-sys-2 =0.1.161): its
// build installs neither header. Compare with them when the version changes.

#include <cstddef>
#include <map>
#include <string>
#include <utility>
#include <vector>

struct ggml_tensor;
struct llama_context;
struct llama_model;
typedef struct ggml_backend_buffer_type * ggml_backend_buffer_type_t;

struct llama_memory_breakdown_data {
    size_t model = 0;
    size_t context = 0;
    size_t compute = 0;
};

std::map<ggml_backend_buffer_type_t, llama_memory_breakdown_data>
llama_get_memory_breakdown(const struct llama_context * ctx);

const std::vector<std::pair<std::string, ggml_tensor *>> & llama_internal_get_tensor_map(const llama_model * model);

extern "C" {

// Calls `visit` for every tensor of the model.
void moe_sweep_visit_tensors(
        const llama_model * model, void (*visit)(void *, const char *, const ggml_tensor *), void * user) {
    for (const auto & [name, tensor] : llama_internal_get_tensor_map(model)) {
        visit(user, name.c_str(), tensor);
    }
}

// Calls `visit` for every buffer type of the context and its model, with the bytes of the
// model's buffers, the cache and the compute buffers.
void moe_sweep_visit_memory(
        const llama_context * context,
        void (*visit)(void *, ggml_backend_buffer_type_t, size_t, size_t, size_t),
        void * user) {
    for (const auto & [type, bytes] : llama_get_memory_breakdown(context)) {
        visit(user, type, bytes.model, bytes.context, bytes.compute);
    }
}

}
