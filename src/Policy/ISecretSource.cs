namespace Postern.Policy;

/// <summary>Generic secrets by SDS name, for <c>value_sds_secret</c>. Implementations return the current value at each call (rotation).</summary>
public interface ISecretSource
{
    /// <summary>The secret's value, or null when it is not (yet) loaded: then the header match fails whatever its actions say.</summary>
    string? FindGenericSecret(string name);
}
