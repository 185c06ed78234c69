/** @file A choice among named values, with its label. */

/** Value and words of each choice, in order. */
export type Choices = readonly (readonly [value: string, words: string])[];

/** @param value One of the choices' values. */
export function SelectField({
  label,
  value,
  choices,
  onValue,
}: {
  readonly label: string;
  readonly value: string;
  readonly choices: Choices;
  readonly onValue: (value: string) => void;
}) {
  return (
    <label class="field">
      <span>{label}</span>
      <select value={value} onChange={({ currentTarget }) => onValue(currentTarget.value)}>
        {choices.map(([key, words]) => (
          <option key={key} value={key}>
            {words}
          </option>
        ))}
      </select>
    </label>
  );
}
