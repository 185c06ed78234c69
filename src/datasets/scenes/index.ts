/** @file The scene generator. */
export { LOOKS, resolveSceneOptions } from "./options.js";
export type { Look, MinMax, ResolvedSceneOptions, SceneOptions } from "./options.js";
export { generateScene, renderScene, SCENE_LABEL, SCENES_VERSION, type RenderedScene } from "./scene.js";
