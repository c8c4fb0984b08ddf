namespace Postern.Agent.Model;

/// <summary>Why a document, a file or an object is not taken over.</summary>
/// <param name="File">Name within the folder; empty for the folder itself.</param>
/// <param name="Line">1-based, 0 when unknown.</param>
/// <param name="Column">1-based, 0 when unknown.</param>
/// <param name="Path">Field, like <c>spec.ingress[0].toPorts</c>; may be empty.</param>
/// <param name="Reason">What is wrong and how to mend it, one line.</param>
/// <param name="Nearest">The known name that was probably meant, or null.</param>
public sealed record ModelProblem(string File, int Line, int Column, string Path, string Reason, string? Nearest = null)
{
    /// <summary><c>FILE:LINE:COL: PATH: reason</c>.</summary>
    public override string ToString()
    {
        var place = File.Length == 0 ? "" : Line > 0 ? $"{File}:{Line}:{Column}: " : $"{File}: ";
        var mend = Nearest is null ? "" : $"; did you mean '{Nearest}'?";
        return place + (Path.Length == 0 ? "" : Path + ": ") + Reason + mend;
    }
}
