# node-gyp's door into the CMake build: `node-gyp rebuild`, run by prebuildify
# and, in a fresh checkout, by node-gyp-build, ends up in scripts/build-native.cjs
# as everything else does. No source list here. Not published: a package manager
# that saw this file would try to compile on install.
{
  "targets": [
    {
      "target_name": "crossthink",
      "type": "none",
      "actions": [
        {
          "action_name": "cmake_js",
          "inputs": ["CMakeLists.txt"],
          "outputs": ["<(PRODUCT_DIR)/crossthink.node"],
          "action": ["node", "scripts/build-native.cjs", "--config", "<(CONFIGURATION_NAME)"]
        }
      ]
    }
  ]
}
