// Debian 12's Vulkan headers (1.3.239) lack VK_EXT_layer_settings, which ggml-vulkan
// names. It uses the types only where the driver offers the extension, but it always
// compiles them, so they are given here as the specification lays them out
// (https://registry.khronos.org/vulkan/specs/latest/man/html/VkLayerSettingEXT.html).
// scripts/vulkan-flags has every C++ file of llama.cpp include this, and only where the
// headers are that old; so it includes no Vulkan header itself.
#pragma once

#ifdef __cplusplus
#include <cstdint>
#include <vector>

namespace vk {

enum class LayerSettingTypeEXT : int32_t { eBool32 = 0 };

struct LayerSettingEXT {
    const char * pLayerName;
    const char * pSettingName;
    LayerSettingTypeEXT type;
    uint32_t valueCount;
    const void * pValues;
};

struct LayerSettingsCreateInfoEXT {
    int32_t sType = 1000496000; // VK_STRUCTURE_TYPE_LAYER_SETTINGS_CREATE_INFO_EXT
    const void * pNext = nullptr;
    uint32_t settingCount;
    const LayerSettingEXT * pSettings;

    explicit LayerSettingsCreateInfoEXT(const std::vector<LayerSettingEXT> & settings)
        : settingCount(static_cast<uint32_t>(settings.size())), pSettings(settings.data()) {}
};

} // namespace vk
#endif
