using System.Collections.Generic;
using System.Text;
using Google.Protobuf.WellKnownTypes;
using Google.Rpc;

namespace Postern.Xds.Discovery.Protocol;

/// <summary>The <c>error_detail</c> of a NACK: one text for people, and the same in parts for programs.</summary>
internal static class ErrorDetail
{
    /// <summary><c>INTERNAL</c>, as Envoy sends.</summary>
    public const int Code = 13;

    /// <summary>Characters of the message before it is cut.</summary>
    public const int MaxMessage = 4096;

    private const string Cut = "...(truncated)";

    public static Status Of(IReadOnlyList<ResourceProblem> problems)
    {
        var text = new StringBuilder();
        var request = new BadRequest();
        foreach (var problem in problems)
        {
            var field = Field(problem);
            text.Append(text.Length > 0 ? "; " : "").Append(field).Append(field.Length > 0 ? ": " : "").Append(problem.Reason);
            request.FieldViolations.Add(new BadRequest.Types.FieldViolation { Field = field, Description = Clip(problem.Reason) });
        }
        return new Status { Code = Code, Message = Clip(text.ToString()), Details = { Any.Pack(request) } };
    }

    /// <summary><c>resources[NAME].PATH</c>, without the parts that are not known.</summary>
    public static string Field(ResourceProblem problem)
    {
        var resource = problem.Resource.Length > 0 ? $"resources[{problem.Resource}]" : "";
        return problem.Path.Length == 0 ? resource : resource.Length == 0 ? problem.Path : resource + "." + problem.Path;
    }

    private static string Clip(string text)
    {
        if (text.Length <= MaxMessage)
        {
            return text;
        }
        // Half of a surrogate pair would not survive UTF-8.
        var end = char.IsHighSurrogate(text[MaxMessage - 1]) ? MaxMessage - 1 : MaxMessage;
        return text[..end] + Cut;
    }
}
