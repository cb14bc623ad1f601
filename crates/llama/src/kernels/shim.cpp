// Offers llama.cpp's CPU back end a buffer type of ours: an "extra" one, as its own repacked weights have. The classes are
// declared as in llama.cpp's ggml/src/ggml-cpu/traits.h, of the version that Cargo.toml pins (llama-cpp-sys-2 =0.1.161):
// its build installs no such header. Compare with it when the version changes.

#include <cstddef>
#include <vector>

struct ggml_compute_params;
struct ggml_tensor;
typedef struct ggml_backend_buffer_type * ggml_backend_buffer_type_t;
typedef struct ggml_backend_device * ggml_backend_dev_t;

namespace ggml::cpu {

class tensor_traits {
  public:
    virtual ~tensor_traits();
    virtual bool work_size(int n_threads, const struct ggml_tensor * op, size_t & size) = 0;
    virtual bool compute_forward(struct ggml_compute_params * params, struct ggml_tensor * op) = 0;
};

class extra_buffer_type {
  public:
    virtual ~extra_buffer_type();
    virtual bool supports_op(ggml_backend_dev_t dev, const struct ggml_tensor * op) = 0;
    virtual tensor_traits * get_tensor_traits(const struct ggml_tensor * op) = 0;
};

} // namespace ggml::cpu

std::vector<ggml_backend_buffer_type_t> & ggml_backend_cpu_get_extra_buffer_types();

// In Rust, beside this file.
extern "C" {
bool moe_sweep_supports(const ggml_tensor * op);
bool moe_sweep_multiplies(const ggml_tensor * op);
size_t moe_sweep_work_bytes(const ggml_tensor * op);
void moe_sweep_multiply(const ggml_compute_params * params, ggml_tensor * op);
}

namespace {

class traits : public ggml::cpu::tensor_traits {
    bool work_size(int, const ggml_tensor * op, size_t & size) override {
        size = moe_sweep_work_bytes(op);
        return true;
    }

    bool compute_forward(ggml_compute_params * params, ggml_tensor * op) override {
        moe_sweep_multiply(params, op);
        return true;
    }
};

class buffer_type : public ggml::cpu::extra_buffer_type {
    bool supports_op(ggml_backend_dev_t, const ggml_tensor * op) override { return moe_sweep_supports(op); }

    ggml::cpu::tensor_traits * get_tensor_traits(const ggml_tensor * op) override {
        static traits ours;
        return moe_sweep_multiplies(op) ? &ours : nullptr;
    }
};

} // namespace

extern "C" {

// What the context of our buffer type must be.
void * moe_sweep_buffer_type_context() {
    static buffer_type ours;
    return static_cast<ggml::cpu::extra_buffer_type *>(&ours);
}

// Makes `buft` the only extra buffer type. Before the back end is first asked for them: it keeps the answer.
void moe_sweep_use_buffer_type(ggml_backend_buffer_type_t buft) {
    ggml_backend_cpu_get_extra_buffer_types() = { buft };
}

}
