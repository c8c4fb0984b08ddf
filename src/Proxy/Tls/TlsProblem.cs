namespace Postern.Proxy.Tls;

/// <summary>Why there is no context, or no new one. Shows no content of a secret.</summary>
/// <param name="Secret">Name of the secret at fault; empty for what stands in the configuration itself.</param>
/// <param name="Field">Field in it, or in <c>common_tls_context</c>.</param>
/// <param name="Reason">What is wrong, and how to mend it.</param>
internal sealed record TlsProblem(string Secret, string Field, string Reason)
{
    /// <summary>The secret has not come yet: there is nothing to serve with, not even something old.</summary>
    public bool IsAbsence { get; init; }

    public override string ToString() => Secret.Length > 0 ? $"secret {Secret}: {Field}: {Reason}" : $"common_tls_context.{Field}: {Reason}";
}
