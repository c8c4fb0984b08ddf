namespace Postern.Filters.Http;

/// <summary>An answer that the proxy makes itself.</summary>
/// <param name="Status">HTTP status.</param>
/// <param name="Body">Text, already ending as it must on the wire; may be empty.</param>
/// <param name="Reason">Label for records and metrics, snake case.</param>
/// <param name="Detail">Sentence for operators; never sent to the client.</param>
public sealed record LocalReply(int Status, string Body, string Reason, string Detail)
{
    /// <summary><c>Location</c> of a redirect, or null.</summary>
    public string? Location { get; init; }
}
