/** The settings of a program, from the environment. */
export { describeSettings, type SettingDescription } from './describeSettings.js';
export { type LoadSettingsConfig, loadSettings, type Settings } from './loadSettings.js';
export { loadVariables, type NamedVariable } from './loadVariables.js';
export type { Environment, SettingOrigin } from './readVariables.js';
export { Secret } from './secret.js';
export { isSettingsError, SettingsError, type SettingsMistake } from './settingsError.js';
export type { VariableName } from './variables.js';
